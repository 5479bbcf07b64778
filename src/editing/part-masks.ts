import { pointAt, smoothstep, subtract, length, type Vector } from '../head/builtin/vector.ts';

import { placePosition, regionOf, type HeadSurface } from './head-surface.ts';
import { EditError, type RecolorPart } from './layers.ts';
import type { PaintContext } from './make-painter.ts';
import { okLabFromRgb } from './ok-lab.ts';
import { PointGrid } from './point-grid.ts';
import { texelNormal, type SurfaceTexels } from './surface-texels.ts';

/**
 * size² weights 0…1: how much of each texel belongs to a part of the head, from where it is and what colour it was baked
 * with (edits below do not count, so that hair made green is still hair). Lips and eyes are regions of the head model; hair
 * and skin have no border there, so they are told apart by colour. Throws `EditError` when the head has no such part.
 */
export function partMask(context: PaintContext, part: RecolorPart): Float32Array {
  const { texels } = context;
  const weights = WEIGHTS[part](context);
  if (!weights.some((weight) => weight > 0.5)) {
    throw new EditError(`recolor: no texel of this head looks like ${part}; take a sticker or a brush instead`);
  }
  const { size } = texels;
  const plane = new Float32Array(size * size);
  const isUsed = new Uint8Array(size * size);
  texels.indices.forEach((texel, index) => {
    plane[texel] = weights[index];
    isUsed[texel] = 1;
  });
  return feather(plane, isUsed, size);
}

const WEIGHTS: Readonly<Record<RecolorPart, (context: PaintContext) => Float32Array>> = {
  lips: lipWeights,
  iris: irisWeights,
  hair: hairWeights,
  skin: skinWeights,
};

/** The lips' region, less what has the colour of the skin around them: a track is a millimetre off here and there. */
function lipWeights(context: PaintContext): Float32Array {
  const { surface, texels } = context;
  const isLip = Uint8Array.from(texels.triangles, (triangle) => (regionOf(surface.head, triangle) === 'lips' ? 1 : 0));
  const likeness = unlikeSkin(context, isLip);
  return Float32Array.from(isLip, (own, index) => own * smoothstep(0.15, 0.4, likeness[index]));
}

/** OKLab of the texels as baked, N×3. */
function bakedLab({ maps, texels }: PaintContext): Float32Array {
  const plane = maps.size * maps.size;
  const lab = new Float32Array(texels.count * 3);
  texels.indices.forEach((texel, index) => {
    const rgb = [0, 1, 2].map((k) => Math.min(1, Math.max(0, maps.colorMap[k * plane + texel])));
    lab.set(okLabFromRgb(rgb[0], rgb[1], rgb[2]), index * 3);
  });
  return lab;
}

/** Angle at which an iris ends, seen from the middle of the eyeball: 5.9 mm on a radius of 12. */
const IRIS_ANGLE = (29 * Math.PI) / 180;
const IRIS_EDGE = (4 * Math.PI) / 180;

/** Round the eyeball's front, where it is darker than the white of the eye. */
function irisWeights(context: PaintContext): Float32Array {
  const { surface, texels } = context;
  const { head } = surface;
  const lab = bakedLab(context);
  const weights = new Float32Array(texels.count);
  for (const sheet of [2, 3]) {
    const members = [...texels.triangles.keys()].filter((index) => surface.sheets[texels.triangles[index]] === sheet);
    // On the template both eyes look straight ahead; the neutral pose may not.
    const rest = new Map(members.map((index) => [index, restPosition(head.templateVertices, surface, texels, index)]));
    const centre = sphereCentre([...rest.values()]);
    const angles = new Map([...rest].map(([index, at]) => [index, Math.acos((at[2] - centre[2]) / length(subtract(at, centre)))])); // prettier-ignore
    const whites = members.filter(
      (index) => angles.get(index)! > 1.3 * IRIS_ANGLE && angles.get(index)! < 2 * IRIS_ANGLE,
    );
    const white = median(whites.map((index) => lab[index * 3]));
    for (const index of members) {
      const inside = smoothstep(IRIS_ANGLE + IRIS_EDGE, IRIS_ANGLE - IRIS_EDGE, angles.get(index)!);
      weights[index] = inside * smoothstep(0.0, 0.06, white - lab[index * 3]);
    }
  }
  return weights;
}

function restPosition(vertices: Float32Array, { head }: HeadSurface, texels: SurfaceTexels, index: number): Vector {
  return placePosition(
    { head, vertices },
    { triangle: texels.triangles[index], barycentric: pointAt(texels.barycentrics, index) },
  );
}

/** Middle of the box round an eyeball, from its widest parts across and up; its back may be missing. */
function sphereCentre(points: readonly Vector[]): Vector {
  const low = [0, 1, 2].map((axis) => Math.min(...points.map((point) => point[axis])));
  const high = [0, 1, 2].map((axis) => Math.max(...points.map((point) => point[axis])));
  const radius = (high[0] - low[0] + high[1] - low[1]) / 4;
  return [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2] - radius];
}

/** Landmarks of MediaPipe's face mesh. */
const CHEEKS = [50, 280, 205, 425, 101, 330, 6, 5];
const BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336];
const EYES = [33, 133, 159, 145, 160, 158, 144, 153, 263, 362, 386, 374, 387, 385, 373, 380];
const MOUTH = [61, 291, 0, 17, 13, 14, 37, 267, 84, 314];
/** Where the face ends in front of the ears. */
const EAR_FRONTS = [127, 356];
/** From the brows to where hair surely begins, metres. */
const ABOVE_HAIRLINE = 0.085;
const CHEEK_RADIUS = 0.012;
/** Hair is not looked for this near brows, eyes and mouth, metres. */
const FEATURE_RADIUS = 0.011;

/** Scalp that is not the colour of skin, and what has the colour of its hair around the face; not brows or beard. */
function hairWeights(context: PaintContext): Float32Array {
  const { surface, texels } = context;
  const likeness = hairLikeness(context);
  const features = new PointGrid(landmarkPositions(surface, [...BROWS, ...EYES, ...MOUTH]), FEATURE_RADIUS);
  const brow = Math.max(...BROWS.map((landmark) => landmarkPosition(surface, landmark)[1]));
  const crown = brow + ABOVE_HAIRLINE;
  const behind = Math.min(...EAR_FRONTS.map((landmark) => landmarkPosition(surface, landmark)[2]));
  const weights = Float32Array.from(texels.triangles, (triangle, index) => {
    if (surface.sheets[triangle] !== 0) return 0;
    const region = regionOf(surface.head, triangle);
    if (region === 'lips') return 0;
    const position = pointAt(texels.positions, index);
    // High on the head and behind it there is nothing but hair, be it grey or in full light.
    const isHairline = smoothstep(crown, crown - 0.015, position[1]) * smoothstep(behind - 0.015, behind, position[2]);
    if (region === 'scalp') return Math.max(1 - isHairline, smoothstep(0.15, 0.45, likeness[index]));
    if (features.distance(position, FEATURE_RADIUS) < FEATURE_RADIUS) return 0;
    // Below the brows only what is seen from the side: strands along the cheeks, not a beard or nostrils. Long hair over
    // ears and neck is told from skin less strictly, the less it faces forward.
    const [, upward, forward] = texelNormal(surface, texels, index);
    const isShadowed = smoothstep(-0.15, -0.4, upward); // under the jaw
    const isAbove = smoothstep(brow, brow + 0.006, position[1]);
    const least = region === 'face' ? 0.45 : 0.25 + 0.2 * smoothstep(0, 0.5, forward);
    const isBeside = smoothstep(0.6, 0.35, forward) * (1 - isShadowed);
    return smoothstep(least, least + 0.3, likeness[index]) * Math.max(isBeside, isAbove);
  });
  return connected(context, weights);
}

/** Skin by region, where there is no hair nor its colour: that leaves out brows, lashes, stubble and strands. */
function skinWeights(context: PaintContext): Float32Array {
  const { surface, texels } = context;
  const likeness = hairLikeness(context);
  const hair = hairWeights(context);
  return Float32Array.from(texels.triangles, (triangle, index) => {
    if (surface.sheets[triangle] !== 0 || regionOf(surface.head, triangle) === 'lips') return 0;
    return smoothstep(0.75, 0.45, likeness[index]) * (1 - hair[index]);
  });
}

/** N: 0 for the colour of the cheeks, 1 for that of the scalp's hair. */
function hairLikeness(context: PaintContext): Float32Array {
  const { surface, texels } = context;
  return unlikeSkin(context, Uint8Array.from(texels.triangles, (triangle) => (regionOf(surface.head, triangle) === 'scalp' ? 1 : 0))); // prettier-ignore
}

/** N: 0 for the colour of the cheeks, 1 for that of a part of the head, by their distances in OKLab. */
function unlikeSkin(context: PaintContext, isPart: Uint8Array): Float32Array {
  const { surface, texels } = context;
  const lab = bakedLab(context);
  const cheeks = new PointGrid(landmarkPositions(surface, CHEEKS), CHEEK_RADIUS);
  const isCheek = (triangle: number, index: number): boolean =>
    regionOf(surface.head, triangle) === 'face' &&
    cheeks.distance(pointAt(texels.positions, index), CHEEK_RADIUS) < Infinity;
  const skin = [...texels.triangles.keys()].filter((index) => isCheek(texels.triangles[index], index));
  const part = [...isPart.keys()].filter((index) => isPart[index]);
  const skinColor = colorModel(lab, skin);
  // The part's border may show skin: its colour is that of what is least like skin.
  const distances = part.map((index) => distanceTo(skinColor, lab, index));
  const middle = median(distances);
  const partColor = colorModel(lab, part.filter((_, at) => distances[at] >= middle)); // prettier-ignore
  return Float32Array.from({ length: texels.count }, (_, index) => {
    const [toSkin, toPart] = [distanceTo(skinColor, lab, index), distanceTo(partColor, lab, index)];
    return toSkin / (toSkin + toPart || 1);
  });
}

interface ColorModel {
  readonly middle: Vector;
  readonly spread: Vector;
}

/** Spread that every colour has at least: of lightness, which shading changes, and of the chroma axes. */
const LEAST_SPREAD = [0.06, 0.02, 0.02];

function colorModel(lab: Float32Array, members: readonly number[]): ColorModel {
  const channel = (k: number): number => median(members.map((index) => lab[index * 3 + k]));
  const middle: Vector = [channel(0), channel(1), channel(2)];
  const spread = [0, 1, 2].map((k) =>
    Math.max(LEAST_SPREAD[k], 1.5 * median(members.map((index) => Math.abs(lab[index * 3 + k] - middle[k])))),
  );
  return { middle, spread: [spread[0], spread[1], spread[2]] };
}

/** Squared, in spreads. */
function distanceTo({ middle, spread }: ColorModel, lab: Float32Array, index: number): number {
  return [0, 1, 2].reduce((sum, k) => sum + ((lab[index * 3 + k] - middle[k]) / spread[k]) ** 2, 0);
}

const STEP = 0.004;

/** Only what hangs together with hair on the scalp: a dark collar is not hair. */
function connected({ surface, texels }: PaintContext, weights: Float32Array): Float32Array {
  const members = [...weights.keys()].filter((index) => weights[index] > 0.3);
  const places = new Float32Array(members.length * 3);
  members.forEach((index, at) => places.set(texels.positions.subarray(index * 3, index * 3 + 3), at * 3));
  const grid = new PointGrid(places, STEP);
  const isReached = new Uint8Array(members.length);
  const front = [...members.keys()].filter((at) => regionOf(surface.head, texels.triangles[members[at]]) === 'scalp');
  for (const at of front) isReached[at] = 1;
  while (front.length > 0) {
    const at = front.pop()!;
    for (const other of grid.within(pointAt(places, at), STEP)) {
      if (isReached[other]) continue;
      isReached[other] = 1;
      front.push(other);
    }
  }
  const result = new Float32Array(weights.length);
  members.forEach((index, at) => (result[index] = isReached[at] ? weights[index] : 0));
  return result;
}

export function landmarkPosition(surface: HeadSurface, landmark: number): Vector {
  const { triangleIndices, barycentrics } = surface.head.landmarks;
  return placePosition(surface, { triangle: triangleIndices[landmark], barycentric: pointAt(barycentrics, landmark) });
}

function landmarkPositions(surface: HeadSurface, landmarks: readonly number[]): Float32Array {
  return Float32Array.from(landmarks.flatMap((landmark) => [...landmarkPosition(surface, landmark)]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Mean over 3×3 used texels, twice: a soft border of about two texels. */
function feather(plane: Float32Array, isUsed: Uint8Array, size: number): Float32Array {
  let before = plane;
  for (let pass = 0; pass < 2; pass++) {
    const after = new Float32Array(before.length);
    for (let texel = 0; texel < before.length; texel++) {
      if (!isUsed[texel]) continue;
      let [sum, count] = [0, 0];
      for (let row = -1; row <= 1; row++) {
        for (let column = -1; column <= 1; column++) {
          const [x, y] = [(texel % size) + column, Math.floor(texel / size) + row];
          const other = y * size + x;
          if (x < 0 || y < 0 || x >= size || y >= size || !isUsed[other]) continue;
          sum += before[other];
          count++;
        }
      }
      after[texel] = sum / count;
    }
    before = after;
  }
  return before;
}
