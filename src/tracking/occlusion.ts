import type { Image } from '../video/frame.ts';
import type { Sighting } from './face-tracker.ts';

/** Every third landmark: enough of the face, a third of the memory. */
const LANDMARK_STEP = 3;
/**
 * A landmark looks wrong when its colour (0…255, mean of channels) is further from its usual one than this and than this
 * many times its usual deviation.
 */
const COLOR_TOLERANCE = 15;
const DEVIATIONS = 6;
/**
 * A frame is left out when more than this share of its landmarks look wrong. On real clips with turns and expressions at
 * most 0.08 do; with a hand, in the skin's own colour, over the mouth 0.25.
 */
export const MAXIMUM_COVERED = 0.16;

/** Colours of the 3×3 pixels around each sampled landmark. Outside the image: black. */
export function sampleLandmarkColors(image: Image, landmarks: Float32Array): Uint8Array {
  const count = Math.floor(landmarks.length / 3 / LANDMARK_STEP);
  const colors = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const x = Math.floor(landmarks[9 * i]);
    const y = Math.floor(landmarks[9 * i + 1]);
    if (x < 1 || y < 1 || x >= image.width - 1 || y >= image.height - 1) continue;
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++)
          sum += image.data[((y + dy) * image.width + x + dx) * image.channels + channel];
      colors[3 * i + channel] = sum / 9;
    }
  }
  return colors;
}

/**
 * Share of the face, 0…1 per sighting, that does not look as it usually does in the clip: a hand, a cup, hair across the
 * face. The landmark network guesses on behind such things and stays sure of itself. The usual colour is each landmark's
 * median; a change of the whole face's light is taken out first.
 */
export function coveredShares(sightings: readonly Sighting[]): Float32Array {
  const shares = new Float32Array(sightings.length);
  if (sightings.length < 8) return shares; // no usual look yet
  const size = sightings[0].colors.length;
  const usual = new Float32Array(size).map((_, i) => median(sightings.map((sighting) => sighting.colors[i])));
  const deviation = usual.map((value, i) => median(sightings.map((sighting) => Math.abs(sighting.colors[i] - value))));
  sightings.forEach(({ colors }, s) => {
    const light = [0, 1, 2].map((channel) =>
      median([...usual].flatMap((value, i) => (i % 3 === channel ? [colors[i] - value] : []))),
    );
    let covered = 0;
    for (let i = 0; i < size; i += 3) {
      let difference = 0;
      let expected = 0;
      for (let channel = 0; channel < 3; channel++) {
        difference += Math.abs(colors[i + channel] - usual[i + channel] - light[channel]) / 3;
        expected += deviation[i + channel] / 3;
      }
      if (difference > Math.max(COLOR_TOLERANCE, DEVIATIONS * expected)) covered++;
    }
    shares[s] = (covered * 3) / size;
  });
  return shares;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
