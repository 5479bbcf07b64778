import type { FaceModels } from '../inference/face-models.ts';
import { sampleRegion } from '../tracking/region.ts';
import type { Image } from '../video/frame.ts';
import { boxFilter, resizeMap, smoothstep } from './box-filter.ts';
import { faceGeometry, similarityBetween, type FaceGeometry } from './face-geometry.ts';
import { HeadKeeper, type KeepInput } from './keep-head.ts';
import { fillPolygon, tidyMask } from './mask-shapes.ts';
import { hairMask, personMask } from './person-mask.ts';
import { refineAlpha } from './refine-alpha.ts';

/** What is known of the head in a crop. All in pixels of the crop. */
export interface MatteGuidance {
  /** L×3, as `FaceObservation.landmarks` after `landmarksInCrop`. */
  readonly landmarks: Float32Array;
  /** Silhouettes of the tracked head model's neck and lower head, x, y pairs; without them the neck is guessed from the landmarks. */
  readonly neck?: readonly Float32Array[] | null;
}

/** The head cut out of a crop. */
export interface Matte {
  /** Coverage 0…255 of head, hair and neck, size². */
  readonly alpha: Uint8Array;
  /** RGBA, straight: the crop's colours without the background's share in half-covered pixels, and `alpha`. */
  readonly image: Image;
}

/** Cuts heads out of the crops of one clip, which must come in order: each matte leans on the one before. */
export interface Matting {
  /** @param crop From `cropFrame`: RGBA, alpha 0 beyond the video's frame. */
  matte(crop: Image, guidance: MatteGuidance): Promise<Matte>;
  /** Forgets the previous frame; call at a cut or a gap. */
  reset(): void;
}

/** Pixels per side of the picture on which head and clothes are told apart. */
const KEEP_SIZE = 192;
/** How much of the previous frame's mask stays where both agree. */
const MEMORY = 0.45;
/** Difference of masks at which the previous one no longer counts. */
const DISAGREEMENT = 0.5;
/** Holes up to this many pixels of a 256² crop are filled; larger ones show background between strands. */
const LARGEST_HOLE = 80;

export function createMatting(models: Pick<FaceModels, 'segmentation' | 'hair'>): Matting {
  const keeper = new HeadKeeper();
  let previous: PreviousFrame | null = null;
  return {
    reset: () => void (previous = null),
    async matte(crop, guidance) {
      const size = crop.width;
      if (crop.height !== size || crop.channels !== 4) {
        throw new RangeError(
          `The crop is ${size}×${crop.height} with ${crop.channels} channels; give a square RGBA crop from cropFrame.`,
        );
      }
      const filled = fillBeyondFrame(crop);
      const before = previous?.size === size ? previous : null;
      const person = steady(
        await personMask(models, filled),
        before?.person,
        before?.landmarks,
        guidance.landmarks,
        size,
      );
      const small = shrink(filled, person, await hairMask(models, filled), guidance);
      const keep = steady(keeper.keep(small.input), before?.keep, before?.smallLandmarks, small.landmarks, KEEP_SIZE);
      previous = { person, keep, landmarks: guidance.landmarks, smallLandmarks: small.landmarks, size };
      return cutOut(crop, filled, person, keep, small.input.geometry);
    },
  };
}

interface PreviousFrame {
  readonly person: Float32Array;
  readonly keep: Float32Array;
  readonly landmarks: Float32Array;
  readonly smallLandmarks: Float32Array;
  readonly size: number;
}

/** What to keep is decided on a small picture: neck and clothes are large, their edges come from the refinement. */
function shrink(
  filled: Image,
  person: Float32Array,
  hair: Float32Array | null,
  guidance: MatteGuidance,
): { input: KeepInput; landmarks: Float32Array } {
  const size = filled.width;
  const scale = KEEP_SIZE / size;
  const region = { centerX: size / 2, centerY: size / 2, size, rotation: 0 };
  const colors = Uint8Array.from(
    sampleRegion(filled, region, { size: KEEP_SIZE, low: 0, high: 255, outside: 'nearest', channels: 4 }),
  );
  for (let y = 0; y < KEEP_SIZE; y++) {
    const row = Math.floor((y + 0.5) / scale) * size;
    for (let x = 0; x < KEEP_SIZE; x++)
      colors[4 * (y * KEEP_SIZE + x) + 3] = filled.data[4 * (row + Math.floor((x + 0.5) / scale)) + 3];
  }
  const small = (map: Float32Array): Float32Array => resizeMap(map, size, size, KEEP_SIZE, KEEP_SIZE);
  const landmarks = guidance.landmarks.map((value) => value * scale);
  return {
    landmarks,
    input: {
      colors,
      size: KEEP_SIZE,
      person: small(person),
      hair: hair && small(hair),
      geometry: faceGeometry(landmarks),
      neck: guidance.neck?.map((polygon) => polygon.map((value) => value * scale)) ?? null,
    },
  };
}

/** @param smallKeep With the geometry of the small picture. */
function cutOut(
  crop: Image,
  filled: Image,
  person: Float32Array,
  smallKeep: Float32Array,
  geometry: FaceGeometry,
): Matte {
  const size = crop.width;
  const widen = (map: Float32Array): Float32Array => resizeMap(map, KEEP_SIZE, KEEP_SIZE, size, size);
  const keep = widen(smallKeep);
  const planes = [new Float32Array(size * size), new Float32Array(size * size), new Float32Array(size * size)];
  const mask = new Float32Array(size * size);
  for (let i = 0; i < mask.length; i++) {
    for (let channel = 0; channel < 3; channel++) planes[channel][i] = filled.data[4 * i + channel] / 255;
    mask[i] = person[i] * keep[i];
  }
  const { alpha, foreground } = refineAlpha(planes, mask, size);
  const limit = widen(boxFilter(smallKeep, KEEP_SIZE, KEEP_SIZE, 2));
  const face = widen(fillPolygon(geometry.oval, KEEP_SIZE, KEEP_SIZE, 2));
  for (let i = 0; i < alpha.length; i++) {
    // What was cut for being clothes stays out although it has no edge; the face itself is never see-through.
    alpha[i] *= smoothstep(0.15, 0.55, limit[i]);
    alpha[i] = Math.max(alpha[i], Math.min(Math.max(2 * face[i] - 1, 0), 1));
  }
  tidyMask(alpha, (i) => face[i] > 0.9, size, size, Math.round((size / 256) ** 2 * LARGEST_HOLE));
  const data = new Uint8Array(size * size * 4);
  const coverage = new Uint8Array(size * size);
  for (let i = 0; i < alpha.length; i++) {
    coverage[i] = crop.data[4 * i + 3] === 0 ? 0 : Math.round(255 * Math.min(Math.max(alpha[i], 0), 1));
    for (let channel = 0; channel < 3; channel++) data[4 * i + channel] = Math.round(255 * foreground[channel][i]);
    data[4 * i + 3] = coverage[i];
  }
  return { alpha: coverage, image: { width: size, height: size, channels: 4, data } };
}

/** Continues the frame's border colours outwards, so that networks and filters see no white bars. Alpha stays. */
function fillBeyondFrame(crop: Image): Image {
  const { width: size } = crop;
  let left = size;
  let right = -1;
  let top = size;
  let bottom = -1;
  for (let i = 0; i < size * size; i++) {
    if (crop.data[4 * i + 3] === 0) continue;
    left = Math.min(left, i % size);
    right = Math.max(right, i % size);
    top = Math.min(top, Math.floor(i / size));
    bottom = Math.max(bottom, Math.floor(i / size));
  }
  if (right < 0) return crop;
  const data = crop.data.slice();
  for (let y = 0; y < size; y++) {
    const sourceRow = Math.min(Math.max(y, top), bottom) * size;
    for (let x = 0; x < size; x++) {
      if (x >= left && x <= right && y >= top && y <= bottom) continue;
      const from = 4 * (sourceRow + Math.min(Math.max(x, left), right));
      data.copyWithin(4 * (y * size + x), from, from + 3);
    }
  }
  return { ...crop, data };
}

/** Blends a mask with the previous frame's, moved along with the head. */
function steady(
  current: Float32Array,
  last: Float32Array | undefined,
  before: Float32Array | undefined,
  landmarks: Float32Array,
  size: number,
): Float32Array {
  if (!last || !before) return current;
  const { a, b, x: offsetX, y: offsetY } = similarityBetween(landmarks, before);
  const blended = new Float32Array(current.length);
  for (let i = 0; i < current.length; i++) {
    const x = (i % size) + 0.5;
    const y = Math.floor(i / size) + 0.5;
    const u = Math.floor(a * x - b * y + offsetX);
    const v = Math.floor(b * x + a * y + offsetY);
    const isInside = u >= 0 && v >= 0 && u < size && v < size;
    const change = isInside ? last[v * size + u] - current[i] : 0;
    blended[i] = current[i] + MEMORY * Math.exp(-((change / DISAGREEMENT) ** 2)) * change;
  }
  return blended;
}
