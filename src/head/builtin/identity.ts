import { CANONICAL_POINT_COUNT } from '../landmarks/canonical-face.ts';
import { mirrorEye, restMouth, type HeadState, type HeadTopology } from './head-shape.ts';
import { extendToRings } from './jaw.ts';
import { DEFAULT_SKULL, placeRings, type SkullShape } from './skull.ts';
import { pointAt, setPoint, smoothstep, type Vector } from './vector.ts';

/** One way in which heads differ; a coefficient of 1 is about one standard deviation of adults. */
interface IdentityMode {
  readonly name: string;
  /** Displacement of a point of the face (and of the eyes), centimetres; even in x. */
  readonly move?: (point: Vector) => Vector;
  readonly skull?: Partial<SkullShape>;
  readonly ear?: { readonly size?: number; readonly protrusion?: number };
  readonly eyeRadius?: number;
}

/** 1 at `center`, falling off like a bell with these half-widths; the two halves of the face mirror. */
const bump =
  (center: Vector, width: Vector) =>
  ([x, y, z]: Vector): number =>
    Math.exp(
      -(((Math.abs(x) - center[0]) / width[0]) ** 2) -
        ((y - center[1]) / width[1]) ** 2 -
        ((z - center[2]) / width[2]) ** 2,
    );

const along =
  (weight: (point: Vector) => number, direction: Vector) =>
  (point: Vector): Vector => {
    const w = weight(point);
    return [
      Math.sign(point[0]) * direction[0] * w * Math.min(1, Math.abs(point[0]) / 0.4),
      direction[1] * w,
      direction[2] * w,
    ];
  };

const chin = bump([0, -8.6, 4.6], [3, 2.4, 3.5]);
const noseTip = bump([0, -0.6, 7.3], [1.6, 1.5, 1.6]);
const noseWings = bump([1.4, -1.1, 5.7], [0.9, 0.9, 1.2]);
const bridge = bump([0, 2.3, 5.8], [0.9, 1.7, 1.6]);
const cheekbone = bump([5.4, 0.4, 2.6], [1.8, 1.6, 2]);
const cheek = bump([4.4, -2.4, 3.4], [1.9, 2.2, 2.2]);
const brow = bump([3, 4.6, 4.8], [3.2, 1.1, 2.5]);
const eye = bump([3.2, 2.6, 3.6], [1.7, 0.75, 1.6]);
const lips = bump([0, -4.3, 5.4], [2, 1, 1.6]);

const MODES: readonly IdentityMode[] = [
  { name: 'faceWidth', move: ([x]) => [0.035 * x, 0, 0], skull: { skullWidth: 1.035, jawAngleWidth: 1.03 } },
  { name: 'faceLength', move: ([, y]) => [0, -0.5 * smoothstep(2, -8, y), 0] },
  { name: 'jawWidth', move: ([x, y]) => [0.06 * x * smoothstep(-0.5, -6, y), 0, 0], skull: { jawAngleWidth: 1.06 } },
  { name: 'chinHeight', move: along(chin, [0, -0.4, 0]) },
  { name: 'chinForward', move: along(chin, [0, 0, 0.45]) },
  { name: 'chinWidth', move: ([x, y, z]) => [0.14 * x * chin([x * 0.5, y, z]), 0, 0] },
  { name: 'noseLength', move: along(noseTip, [0, -0.32, 0.04]) },
  { name: 'noseForward', move: along(noseTip, [0, 0.04, 0.32]) },
  { name: 'noseWidth', move: along(noseWings, [0.2, 0, 0]) },
  { name: 'noseBridgeHeight', move: along(bridge, [0, 0, 0.28]) },
  { name: 'noseBridgeWidth', move: along(bump([0.7, 1.8, 5.4], [0.8, 1.8, 1.2]), [0.14, 0, 0]) },
  { name: 'cheekbones', move: along(cheekbone, [0.25, 0, 0.2]) },
  { name: 'cheekFullness', move: along(cheek, [0.35, 0, 0.3]) },
  { name: 'browForward', move: along(brow, [0, 0, 0.25]) },
  { name: 'browHeight', move: along(brow, [0, 0.25, 0]) },
  { name: 'eyeOpening', move: (p) => [0, 0.12 * eye(p) * Math.max(-1, Math.min(1, (p[1] - 2.6) / 0.3)), 0] },
  { name: 'eyeSpacing', move: along(bump([3.2, 2.6, 3.6], [2, 1.2, 2]), [0.17, 0, 0]) },
  { name: 'eyeTilt', move: (p) => [0, 0.16 * eye(p) * Math.max(-1, Math.min(1, (Math.abs(p[0]) - 3.2) / 1.3)), 0] },
  {
    name: 'lipThickness',
    move: (p) => [0, 0.22 * lips(p) * Math.max(-1, Math.min(1, (p[1] + 4.27) / 1)), 0.1 * lips(p)],
  },
  { name: 'mouthWidth', move: (p) => [0.1 * p[0] * bump([0, -4.3, 4.8], [3.4, 1.6, 2])(p), 0, 0] },
  { name: 'mouthHeight', move: along(bump([0, -4.3, 5.2], [3.2, 1.7, 2.4]), [0, 0.25, 0]) },
  { name: 'foreheadSlope', move: ([, y]) => [0, 0, -0.4 * smoothstep(4.5, 8.3, y)] },
  { name: 'skullHeight', skull: { skullHeight: 1.06 } },
  { name: 'skullDepth', skull: { skullDepth: 1.05 } },
  { name: 'skullWidth', skull: { skullWidth: 1.04 } },
  { name: 'neckWidth', skull: { neckWidth: 1.07, neckDepth: 1.06 } },
  { name: 'neckSlant', skull: { neckSlant: 0.8 } },
  { name: 'earSize', ear: { size: 0.07 } },
  { name: 'earProtrusion', ear: { protrusion: 0.25 } },
];

export const IDENTITY_NAMES: readonly string[] = MODES.map((mode) => mode.name);

/** The head at coefficient 1 of one identity mode. */
export function identityState({ rest, cage }: HeadTopology, index: number): HeadState {
  const { move = () => [0, 0, 0] as Vector, skull, ear, eyeRadius = 0 } = MODES[index];
  const points = rest.cage.slice();
  const displacement = new Float64Array(points.length);
  for (let point = 0; point < CANONICAL_POINT_COUNT; point++)
    setPoint(displacement, point, move(pointAt(points, point)));
  extendToRings(displacement, rest.cage, 3, 14);
  displacement.forEach((value, i) => (points[i] += value));
  if (skull) placeRings(points, cage, { ...DEFAULT_SKULL, ...skull });
  // The eyeball goes with its lids: with the mean of the two corners, not with the opening's height.
  const shift = move(rest.rightEye.center[0] < 0 ? [-3.2, 2.6, 3.6] : [3.2, 2.6, 3.6]);
  const rightEye = {
    ...rest.rightEye,
    center: [
      rest.rightEye.center[0] + shift[0],
      rest.rightEye.center[1] + shift[1],
      rest.rightEye.center[2] + shift[2],
    ] as Vector,
    radius: rest.rightEye.radius + eyeRadius,
  };
  const earState = {
    size: rest.rightEar.size + (ear?.size ?? 0),
    protrusion: rest.rightEar.protrusion + (ear?.protrusion ?? 0),
  };
  return {
    ...rest,
    cage: points,
    rightEye,
    leftEye: mirrorEye(rightEye),
    rightEar: earState,
    leftEar: earState,
    mouth: restMouth(points),
  };
}
