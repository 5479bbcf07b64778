import { ARKIT_EXPRESSION_NAMES } from '../head-model.ts';
import { CANONICAL_POINT_COUNT } from '../landmarks/canonical-face.ts';
import { createDisplacementField, type DisplacementField } from './displacement-field.ts';
import { mouthShift, RECIPES, type Move, type Recipe } from './expression-recipes.ts';
import {
  EYE_CORNERS, EYE_CORNERS_SECOND, FACE_BOUNDARY, LIP_CORNERS, LOWER_LID, LOWER_LID_SECOND, LOWER_LIP, UPPER_LID,
  UPPER_LID_SECOND, UPPER_LID_THIRD, UPPER_LIP,
} from './face-points.ts'; // prettier-ignore
import type { HeadState, HeadTopology } from './head-shape.ts';
import { addJawDisplacement, extendToRings, jawMotion, jawShares } from './jaw.ts';
import { add, length, mix, normalize, pointAt, scale, slerp, subtract, type Vector } from './vector.ts';

/** What the expressions of one head share. */
export interface ExpressionSource {
  readonly topology: HeadTopology;
  readonly field: DisplacementField;
  /** Share of the jaw's motion per cage point. */
  readonly shares: Float64Array;
}

export function createExpressionSource(topology: HeadTopology): ExpressionSource {
  const { cage, rest } = topology;
  const faceTriangles = cage.triangles.subarray(0, cage.faceTriangleCount * 3);
  const field = createDisplacementField(rest.cage, faceTriangles, CANONICAL_POINT_COUNT);
  return { topology, field, shares: jawShares(rest.cage, cage.mirror, field) };
}

/** The head at full strength (coefficient 1) of one ARKit expression. */
export function expressionState(source: ExpressionSource, name: (typeof ARKIT_EXPRESSION_NAMES)[number]): HeadState {
  const side = name.endsWith('Left') ? 'left' : name.endsWith('Right') ? 'right' : null;
  const whole = RECIPES.find((recipe) => recipe.name === name);
  const sided = RECIPES.find(
    (recipe) => recipe.isSided && side && name === recipe.name + (side === 'left' ? 'Left' : 'Right'),
  );
  const recipe = whole ?? sided;
  if (!recipe) throw new Error(`no recipe for the expression ${name}`);
  if (name === 'mouthClose') return closeMouth(source);
  return applyRecipe(source, recipe, whole ? null : side);
}

function applyRecipe(source: ExpressionSource, recipe: Recipe, side: 'left' | 'right' | null): HeadState {
  const { topology, field, shares } = source;
  const { rest } = topology;
  const fixed = heldPoints(topology, recipe, side);
  for (const [point, move] of lipMoves(rest.cage, recipe, side)) fixed.set(point, move);
  for (const handleSide of side ? [side] : (['right', 'left'] as const)) {
    const partner = (point: number): number => (handleSide === 'right' ? point : topology.cage.mirror[point]);
    const sign = handleSide === 'right' ? -1 : 1;
    for (const [point, lateral, up, forward] of recipe.handles ?? []) {
      const isMiddle = topology.cage.mirror[point] === point;
      fixed.set(partner(point), [isMiddle ? 0 : sign * lateral, up, forward]);
    }
    if (recipe.lids) for (const [point, move] of lidMoves(topology, handleSide, recipe.lids)) fixed.set(point, move);
  }
  const displacement = new Float64Array(rest.cage.length);
  displacement.set(field.spread(fixed, 3));
  extendToRings(displacement, rest.cage, 3, 4);
  const jaw = jawMotion(recipe.jaw ?? {});
  if (recipe.jaw) addJawDisplacement(displacement, rest.cage, shares, jaw);
  return {
    ...rest,
    cage: displacement.map((value, i) => value + rest.cage[i]),
    rightEye: side === 'left' ? rest.rightEye : turnEye(rest.rightEye, recipe, -1),
    leftEye: side === 'right' ? rest.leftEye : turnEye(rest.leftEye, recipe, 1),
    mouth: { ...rest.mouth, jaw, tongueOut: recipe.tongueOut ?? 0 },
  };
}

const turnEye = (eye: HeadState['leftEye'], { gaze }: Recipe, outwards: 1 | -1): HeadState['leftEye'] => ({
  ...eye,
  yaw: outwards * (gaze?.out ?? 0),
  pitch: gaze?.down ?? 0,
});

/** Points that an expression leaves where they are: outside its part of the face, and on the other side. */
function heldPoints(
  { rest: { cage } }: HeadTopology,
  recipe: Recipe,
  side: 'left' | 'right' | null,
): Map<number, readonly number[]> {
  const held = new Map<number, readonly number[]>();
  const sign = side === 'left' ? 1 : -1;
  const otherFrom = { brow: 0.3, eye: 0.5, mid: 2, mouth: 2.4 }[recipe.free];
  for (let point = 0; point < CANONICAL_POINT_COUNT; point++) {
    const [x, y] = pointAt(cage, point);
    const isOther = side !== null && x * sign < -otherFrom;
    if (isOther || !isFree(recipe.free, Math.abs(x), y)) held.set(point, [0, 0, 0]);
  }
  for (const point of FACE_BOUNDARY) held.set(point, [0, 0, 0]);
  return held;
}

function isFree(part: Recipe['free'], x: number, y: number): boolean {
  const isNose = y > -1.9 && x < 1.45;
  if (part === 'brow') return y > 3.3;
  if (part === 'eye') return x > 1.5 && x < 5.4 && y > 1 && y < 4;
  if (part === 'mid') return y < 2.1 && y > -7.5 && !(isNose && y > 1) && !(x < 1 && y > -1.9);
  return y < 0.5 && !isNose && y > -8.6;
}

function* lipMoves(cage: Float64Array, recipe: Recipe, side: 'left' | 'right' | null): Generator<[number, Move]> {
  const moveOf = (x: number, half: number, contour: number, isUpper: boolean): Move | null => {
    const towards = side === 'left' ? 1 : -1;
    if (recipe.name === 'mouthLeft' || recipe.name === 'mouthRight') {
      const sign = recipe.name === 'mouthLeft' ? 1 : -1;
      const [lateral, up, forward] = mouthShift((sign * x) / half);
      return [sign * lateral, up, forward];
    }
    if (!recipe.lips) return null;
    if (side) {
      const [lateral, up, forward] = recipe.lips((towards * x) / half, contour, isUpper);
      return [towards * lateral, up, forward];
    }
    return recipe.lips(x / half, contour, isUpper); // an even recipe's lateral part follows the sign of `along`
  };
  for (let contour = 0; contour < UPPER_LIP.length; contour++) {
    const corners = LIP_CORNERS[contour];
    const half = Math.abs(cage[corners[0] * 3]);
    const rows: readonly (readonly [readonly number[], boolean])[] = [
      [UPPER_LIP[contour], true],
      [LOWER_LIP[contour], false],
    ];
    for (const [row, isUpper] of rows) {
      for (const point of row) {
        const move = moveOf(cage[point * 3], half, contour, isUpper);
        if (move) yield [point, move];
      }
    }
    for (const point of corners) {
      const [upper, lower] = [true, false].map((isUpper) => moveOf(cage[point * 3], half, contour, isUpper));
      if (upper && lower) yield [point, mix(upper, lower, 0.5)];
    }
  }
}

/**
 * Lid points travel over the eyeball: each upper rim point goes `upper` of the way to the lower point below it, each
 * lower one `lower` of the way up; 0.86 + 0.14 closes the eye. The rows beyond follow by shares.
 */
function* lidMoves(
  { rest, cage }: HeadTopology,
  side: 'left' | 'right',
  { upper, lower }: { readonly upper: number; readonly lower: number },
): Generator<[number, Move]> {
  const eye = side === 'right' ? rest.rightEye : rest.leftEye;
  const partner = (point: number): number => (side === 'right' ? point : cage.mirror[point]);
  const at = (point: number): Vector => pointAt(rest.cage, partner(point));
  const offset = (point: number): Vector => subtract(at(point), eye.center);
  /** Turns `point` about the eye's centre by `share` of the arc from `from` to `to`; `height` adds to its distance. */
  const travel = (point: number, from: number, to: number, share: number): Move => {
    const [own, start, end] = [offset(point), offset(from), offset(to)];
    const reach = share < 0 ? scale(subtract(end, start), share) : null;
    if (reach) return scale(reach, 0.9); // opening wider: up and off along the chord
    const arrived = slerp(normalize(start), normalize(end), share);
    const turn = subtract(arrived, normalize(start));
    const moved = scale(normalize(add(normalize(own), turn)), length(own) + (length(end) - length(start)) * share);
    return subtract(moved, own);
  };
  const isClosing = upper > 0.5;
  for (let i = 0; i < UPPER_LID.length; i++) {
    const [top, bottom] = [UPPER_LID[i], LOWER_LID[i]];
    yield [partner(top), travel(top, top, bottom, upper)];
    yield [partner(bottom), travel(bottom, bottom, top, lower)];
    yield [partner(UPPER_LID_SECOND[i]), travel(UPPER_LID_SECOND[i], top, bottom, upper * (isClosing ? 0.62 : 0.55))];
    yield [partner(LOWER_LID_SECOND[i]), travel(LOWER_LID_SECOND[i], bottom, top, lower * 0.7)];
    yield [partner(UPPER_LID_THIRD[i]), travel(UPPER_LID_THIRD[i], top, bottom, upper * 0.12)];
  }
  for (const corner of [EYE_CORNERS.outer, EYE_CORNERS.inner, EYE_CORNERS_SECOND.outer, EYE_CORNERS_SECOND.inner]) {
    yield [partner(corner), [0, 0, 0]];
  }
}

/** ARKit's mouthClose: the lips meet while the jaw stays as open as `jawOpen` makes it. */
function closeMouth(source: ExpressionSource): HeadState {
  const { topology, field } = source;
  const { rest } = topology;
  const open = applyRecipe(
    source,
    RECIPES.find((recipe) => recipe.name === 'jawOpen')!,
    null,
  );
  const recipe: Recipe = { name: 'mouthClose', isSided: false, free: 'mouth' };
  const fixed = heldPoints(topology, recipe, null);
  const follow = [1, 0.97, 0.9, 0.8];
  UPPER_LIP[0].forEach((upper, i) => {
    const lower = LOWER_LIP[0][i];
    const [up, down] = [pointAt(open.cage, upper), pointAt(open.cage, lower)];
    const meeting = mix(up, down, 0.42);
    follow.forEach((share, contour) => {
      fixed.set(UPPER_LIP[contour][i], scale(subtract(meeting, up), share));
      fixed.set(LOWER_LIP[contour][i], scale(subtract(meeting, down), share));
    });
  });
  // The corners go back out to where closed lips have them.
  for (const [right, left] of LIP_CORNERS) {
    fixed.set(right, [-0.15, 0, 0]);
    fixed.set(left, [0.15, 0, 0]);
  }
  for (const point of [199, 175, 200]) fixed.set(point, [0, 0.1, 0]);
  const displacement = new Float64Array(rest.cage.length);
  displacement.set(field.spread(fixed, 3));
  return { ...rest, cage: displacement.map((value, i) => value + rest.cage[i]) };
}
