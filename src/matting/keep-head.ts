import { boxFilter, smoothstep } from './box-filter.ts';
import { ColorModel } from './color-model.ts';
import type { FaceGeometry } from './face-geometry.ts';
import { fillPolygon, floodFill } from './mask-shapes.ts';

export interface KeepInput {
  /** RGBA, size²; alpha 0 beyond the video's frame, where nothing is learnt. */
  readonly colors: Uint8Array;
  readonly size: number;
  /** Probability of the person, size². */
  readonly person: Float32Array;
  /** Probability of hair, size², when a network gives it. */
  readonly hair: Float32Array | null;
  readonly geometry: FaceGeometry;
  /** Silhouette of the neck as the tracked head model projects it, x, y pairs in pixels; else it is guessed. */
  readonly neck: readonly Float32Array[] | null;
}

/** Without a neck silhouette: half the neck's width in face widths (a neck is 0.75–0.8 as wide as a face). */
const NECK_HALF_WIDTH = 0.42;
/** Where neck and hair fade out, in head heights below the chin. */
const NECK_FADE = [0.35, 0.43] as const;
const HAIR_FADE = [0.42, 0.52] as const;
/** Hair hangs down within this many face widths beside where it is at the mouth, and spreads by this much per depth. */
const HAIR_MARGIN = 0.03;
const HAIR_SPREAD = 0.12;
/** Directly below the chin there is nothing but neck, whatever the shadow does to its colour: full, gone; head heights. */
const THROAT_DEPTH = [0.05, 0.1] as const;
const THROAT_HALF_WIDTH = 0.28;
/** A gap between neck and hair up to this wide (face widths), above this depth (head heights), is hair in shadow. */
const SHADOW_WIDTH = 0.3;
const SHADOW_DEPTH = 0.2;
/** Squared colour distances: the same material below the first, another above the second. */
const SKIN_DISTANCE = [9, 20] as const;
const HAIR_DISTANCE = [8, 16] as const;
/** Skin may lie in the chin's shadow: luminance counts little. */
const SKIN_LUMINANCE_WEIGHT = 0.06;
/** A face's pixel is skin when its shares of red and green are this close to the face's median. */
const CHROMATICITY_TOLERANCE = 0.03;

/**
 * Tells what of the person belongs to the head. Learns the clip's skin, hair and clothes from every frame that it is
 * given, so frames must come from one clip, in order.
 */
export class HeadKeeper {
  private readonly skin = new ColorModel(4);
  private readonly hair = new ColorModel(5);
  private readonly clothes = new ColorModel(5);

  /**
   * 0…1 per pixel: everything from the mouth up; below, the face itself, the neck (inside its silhouette and of the
   * skin's colour, down to a soft cut) and hair that hangs down (connected to the hair above and of its colour, or the
   * hair network's). Clothing is what is left out.
   */
  keep(input: KeepInput): Float32Array {
    const { size, geometry } = input;
    const oval = fillPolygon(geometry.oval, size, size, size / 64);
    const below = depthBelowChin(geometry, size);
    const mouthDepth =
      (geometry.mouth[0] - geometry.chin[0]) * geometry.down[0] +
      (geometry.mouth[1] - geometry.chin[1]) * geometry.down[1];
    const silhouette = neckSilhouette(input, below);
    this.learnHead(input, oval, below, mouthDepth);
    const { skinLike, hairLike } = this.classify(input, below, mouthDepth - 0.4 * geometry.headHeight);
    const hair = hangingHair(input, input.hair ?? hairLike, oval, below, mouthDepth);
    const soft = size / 40;
    const keep = below.map((depth, i) => {
      const lower = smoothstep(mouthDepth - soft, mouthDepth + soft, depth);
      const face = smoothstep(0.3, 0.7, oval[i]);
      const isThroat = Math.abs((i % size) - geometry.neckTop[0]) < THROAT_HALF_WIDTH * geometry.faceWidth;
      const throat = isThroat
        ? smoothstep(THROAT_DEPTH[1] * geometry.headHeight, THROAT_DEPTH[0] * geometry.headHeight, depth)
        : 0;
      const neckSkin = silhouette[i] * Math.max(smoothstep(0.45, 0.75, skinLike[i]), throat);
      return Math.max(1 - lower, face, neckSkin, hair[i]);
    });
    fillBehindHair(keep, input, below, mouthDepth);
    this.learnClothes(input, below, keep);
    return keep;
  }

  /** Takes samples of skin and hair where they are certain to be. */
  private learnHead(input: KeepInput, oval: Float32Array, below: Float32Array, mouthDepth: number): void {
    const { colors, geometry, person, size } = input;
    const skin = this.findSkin(input, oval, below);
    this.skin.addFrame(colors, 4, skin);
    // Clear of the face: its rim is skin.
    const wide = boxFilter(oval, size, size, Math.max(Math.round(geometry.faceWidth / 12), 1));
    const hair: number[] = [];
    for (let i = 0; i < oval.length; i += 2) {
      if (
        colors[4 * i + 3] > 0 &&
        person[i] > 0.95 &&
        below[i] < mouthDepth - 0.1 * geometry.headHeight &&
        wide[i] < 0.02
      )
        hair.push(i);
    }
    this.hair.addFrame(colors, 4, hair);
  }

  /** What of the person was not kept, well below the chin, is clothes. */
  private learnClothes({ colors, geometry, person, size }: KeepInput, below: Float32Array, keep: Float32Array): void {
    const clothes: number[] = [];
    for (let i = 0; i < keep.length; i += 2) {
      const isBeside = Math.abs((i % size) - geometry.neckTop[0]) > 0.55 * geometry.faceWidth;
      if (
        colors[4 * i + 3] > 0 &&
        person[i] > 0.95 &&
        keep[i] < 0.05 &&
        below[i] > (isBeside ? 0.12 : 0.3) * geometry.headHeight
      )
        clothes.push(i);
    }
    this.clothes.addFrame(colors, 4, clothes);
  }

  /** Pixels near the median chromaticity of the face (no eyes, brows, lips, glasses), and such of the throat. */
  private findSkin({ colors, person, geometry, size }: KeepInput, oval: Float32Array, below: Float32Array): number[] {
    const face: number[] = [];
    for (let i = 0; i < oval.length; i += 5) if (oval[i] > 0.98) face.push(i);
    const share = (i: number, channel: number): number =>
      colors[4 * i + channel] / (colors[4 * i] + colors[4 * i + 1] + colors[4 * i + 2] + 1);
    const median = (channel: number): number =>
      Float32Array.from(face, (i) => share(i, channel)).sort()[face.length >> 1] ?? 0;
    const red = median(0);
    const green = median(1);
    const isSkin = (i: number, tolerance: number): boolean =>
      Math.abs(share(i, 0) - red) < tolerance && Math.abs(share(i, 1) - green) < tolerance;
    const pixels = face.filter((i) => isSkin(i, CHROMATICITY_TOLERANCE));
    for (let i = 0; i < below.length; i += 3) {
      const isThroat =
        below[i] > 0.02 * geometry.headHeight &&
        below[i] < 0.14 * geometry.headHeight &&
        person[i] > 0.8 &&
        colors[4 * i + 3] > 0;
      if (
        isThroat &&
        Math.abs((i % size) - geometry.neckTop[0]) < 0.22 * geometry.faceWidth &&
        isSkin(i, 2 * CHROMATICITY_TOLERANCE)
      )
        pixels.push(i);
    }
    return pixels;
  }

  private skinDistance(colors: Uint8Array, i: number): number {
    return this.skin.distance(colors[4 * i], colors[4 * i + 1], colors[4 * i + 2], SKIN_LUMINANCE_WEIGHT);
  }

  /** Likeness to skin and to hair, 0…1, smoothed over a few pixels; only from `start` (a depth) down. */
  private classify(
    { colors, size }: KeepInput,
    below: Float32Array,
    start: number,
  ): { skinLike: Float32Array; hairLike: Float32Array } {
    const skinLike = new Float32Array(size * size);
    const hairLike = new Float32Array(size * size);
    for (let i = 0; i < below.length; i++) {
      if (below[i] < start) continue;
      const [red, green, blue] = [colors[4 * i], colors[4 * i + 1], colors[4 * i + 2]];
      const skin = this.skinDistance(colors, i);
      const hair = this.hair.distance(red, green, blue, 1);
      const clothes = this.clothes.distance(red, green, blue, 1);
      // Clothes of a similar colour: who is nearer wins.
      skinLike[i] =
        smoothstep(SKIN_DISTANCE[1], SKIN_DISTANCE[0], skin) * smoothstep(0.6, 1.4, (clothes + 3) / (skin + 3));
      hairLike[i] =
        smoothstep(HAIR_DISTANCE[1], HAIR_DISTANCE[0], hair) * smoothstep(0.8, 1.6, (clothes + 1) / (hair + 1));
    }
    const radius = Math.max(Math.round(size / 128), 1);
    return { skinLike: boxFilter(skinLike, size, size, radius), hairLike: boxFilter(hairLike, size, size, radius) };
  }
}

/** Distance below the chin along the neck, in pixels; negative above. */
function depthBelowChin({ chin, down }: FaceGeometry, size: number): Float32Array {
  const depth = new Float32Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) depth[y * size + x] = (x + 0.5 - chin[0]) * down[0] + (y + 0.5 - chin[1]) * down[1];
  return depth;
}

function neckSilhouette({ size, geometry, neck }: KeepInput, below: Float32Array): Float32Array {
  const { neckTop, down, faceWidth, headHeight } = geometry;
  if (neck) {
    const mask = new Float32Array(size * size);
    for (const polygon of neck)
      fillPolygon(polygon, size, size, 0).forEach((value, i) => (mask[i] = Math.max(mask[i], value)));
    // Slightly wider than the model's neck, and soft.
    const blurred = boxFilter(mask, size, size, Math.max(Math.round(size / 48), 1));
    return blurred.map((value) => smoothstep(0.05, 0.45, value));
  }
  const halfWidth = NECK_HALF_WIDTH * faceWidth;
  const silhouette = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const across = Math.abs((x + 0.5 - neckTop[0]) * down[1] - (y + 0.5 - neckTop[1]) * down[0]);
      const i = y * size + x;
      silhouette[i] =
        smoothstep(halfWidth * 1.15, halfWidth, across) *
        smoothstep(NECK_FADE[1] * headHeight, NECK_FADE[0] * headHeight, below[i]);
    }
  }
  return silhouette;
}

/**
 * Hair below the mouth: reached from the hair at the height of the eyes through pixels of hair, and below the mouth
 * downwards rather than sideways, so that a collar that touches the hair stays out.
 */
function hangingHair(
  { size, geometry, person }: KeepInput,
  likelihood: Float32Array,
  oval: Float32Array,
  below: Float32Array,
  mouthDepth: number,
): Float32Array {
  const { headHeight, faceWidth } = geometry;
  // Strands a few pixels wide do not carry the search on: a shadow on the neck may link the hair to a collar.
  const radius = Math.max(Math.round(size / 100), 1);
  const candidates = likelihood.map((value, i) => (value > 0.4 && person[i] > 0.3 && oval[i] < 0.5 ? 1 : 0));
  const solid = boxFilter(candidates, size, size, radius);
  const isHair = (i: number): boolean => candidates[i] === 1 && solid[i] > 0.72;
  const top = mouthDepth - 0.35 * headHeight;
  const above = floodFill(
    (i) => below[i] > top && below[i] < top + 0.15 * headHeight,
    (i) => below[i] > top && below[i] < mouthDepth && isHair(i),
    size,
    size,
  );
  const band = mouthDepth - 0.06 * headHeight;
  let left = size;
  let right = -1;
  for (let i = 0; i < below.length; i++) {
    if (above[i] === 0 || below[i] < band) continue;
    left = Math.min(left, i % size);
    right = Math.max(right, i % size);
  }
  const reached = floodFill(
    (i) => above[i] === 1 && below[i] >= band,
    (i) => {
      if (below[i] < band || !isHair(i)) return false;
      const margin = HAIR_MARGIN * faceWidth + HAIR_SPREAD * Math.max(below[i] - mouthDepth, 0);
      return i % size > left - margin && i % size < right + margin;
    },
    size,
    size,
  );
  const near = boxFilter(Float32Array.from(reached), size, size, radius + 1);
  const whole = boxFilter(
    candidates.map((value, i) => (near[i] > 0.02 ? value : 0)),
    size,
    size,
    1,
  );
  return whole.map(
    (value, i) =>
      smoothstep(0.2, 0.7, value) * smoothstep(HAIR_FADE[1] * headHeight, HAIR_FADE[0] * headHeight, below[i]),
  );
}

/** Dark gaps of the person between neck and hanging hair are hair in shadow, though their colour may be the clothes'. */
function fillBehindHair(
  keep: Float32Array,
  { size, geometry, person }: KeepInput,
  below: Float32Array,
  mouthDepth: number,
): void {
  const widest = SHADOW_WIDTH * geometry.faceWidth;
  for (let y = 0; y < size; y++) {
    let last = -1;
    for (let x = 0; x < size; x++) {
      const i = y * size + x;
      if (keep[i] < 0.5) continue;
      const gap = x - last - 1;
      if (
        last >= 0 &&
        gap > 0 &&
        gap < widest &&
        below[i] > mouthDepth &&
        below[i] < SHADOW_DEPTH * geometry.headHeight
      ) {
        for (let k = i - gap; k < i; k++) if (person[k] > 0.5) keep[k] = Math.max(keep[k], person[k]);
      }
      last = x;
    }
  }
}
