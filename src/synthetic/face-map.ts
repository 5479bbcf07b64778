import { MEDIAPIPE_BROWS, CONTOURS } from '../head/landmarks/face-topology.ts';
import type { HeadModel } from '../head/head-model.ts';
import { smoothstep } from './noise.ts';

type Point = readonly [number, number, number];

/** Where the features of a head's face lie, in metres on the template: what procedural skin and hair are drawn by. */
export interface FaceMap {
  /** Landmark of the face mesh. */
  at(landmark: number): Point;
  /** Signed distance to the outline of the lips in the frontal plane: negative inside. */
  lips(x: number, y: number): number;
  /** The same of one brow. */
  brow(side: 'left' | 'right', x: number, y: number): number;
  /** Distance in space to the upper or lower lid's rim, the nearer eye. */
  upperLid(x: number, y: number, z: number): number;
  lowerLid(x: number, y: number, z: number): number;
  /** Distance in the frontal plane to the line where the lips meet. */
  mouthLine(x: number, y: number): number;
  /** V: metres over the skin from the scalp's border; positive on the scalp, negative off it. */
  readonly scalpDepth: Float32Array;
}

export function createFaceMap(head: HeadModel): FaceMap {
  const { triangleIndices, barycentrics } = head.landmarks;
  const coordinate = (landmark: number, axis: number): number =>
    [0, 1, 2].reduce(
      (sum, k) =>
        sum +
        barycentrics[landmark * 3 + k] *
          head.templateVertices[head.triangles[triangleIndices[landmark] * 3 + k] * 3 + axis],
      0,
    );
  const at = (landmark: number): Point => [coordinate(landmark, 0), coordinate(landmark, 1), coordinate(landmark, 2)];
  const line = (landmarks: readonly number[]): Point[] => landmarks.map(at);
  const lipOutline = line([...CONTOURS.upperLipOuter, ...CONTOURS.lowerLipOuter.slice(1, -1).toReversed()]);
  const brows = { left: line(MEDIAPIPE_BROWS.left), right: line(MEDIAPIPE_BROWS.right) };
  const upper = [line(CONTOURS.rightUpperLid), line(CONTOURS.leftUpperLid)];
  const lower = [line(CONTOURS.rightLowerLid), line(CONTOURS.leftLowerLid)];
  const mouth = line(CONTOURS.upperLipInner);
  return {
    at,
    lips: (x, y) => signedDistance(lipOutline, x, y),
    brow: (side, x, y) => signedDistance(brows[side], x, y),
    upperLid: (x, y, z) => lineDistance(upper[x > 0 ? 1 : 0], x, y, z),
    lowerLid: (x, y, z) => lineDistance(lower[x > 0 ? 1 : 0], x, y, z),
    mouthLine: (x, y) => lineDistance(mouth, x, y, null),
    scalpDepth: scalpDepth(head, at(10)),
  };
}

/** Distance to a line, open or closed; without z in the frontal plane. */
function lineDistance(line: readonly Point[], x: number, y: number, z: number | null, isClosed = false): number {
  let best = Infinity;
  for (let i = isClosed ? -1 : 0; i + 1 < line.length; i++) {
    const a = i < 0 ? line[line.length - 1] : line[i];
    const b = line[i + 1];
    const dx = b[0] - a[0];
    const dy = b[1] - a[1];
    const dz = z === null ? 0 : b[2] - a[2];
    const px = x - a[0];
    const py = y - a[1];
    const pz = z === null ? 0 : z - a[2];
    const t = Math.min(1, Math.max(0, (px * dx + py * dy + pz * dz) / (dx * dx + dy * dy + dz * dz || 1)));
    best = Math.min(best, (px - t * dx) ** 2 + (py - t * dy) ** 2 + (pz - t * dz) ** 2);
  }
  return Math.sqrt(best);
}

function signedDistance(outline: readonly Point[], x: number, y: number): number {
  let inside = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [a, b] = [outline[j], outline[i]];
    if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
  }
  const distance = lineDistance(outline, x, y, null, true);
  return inside ? -distance : distance;
}

/** The hair over the forehead begins this far above the regions' border: the face mesh's topmost points stay bare. */
const FOREHEAD_MARGIN = 0.009;
const SMOOTHING_PASSES = 6;

/** Shortest ways over the edges from the scalp's border, inwards and outwards; then smoothed, since borders run in steps. */
function scalpDepth(head: HeadModel, forehead: Point): Float32Array {
  const scalp = head.regionNames.indexOf('scalp');
  const skinNames = new Set(['face', 'scalp', 'neck', 'leftEar', 'rightEar', 'lips', 'leftEyelids', 'rightEyelids']);
  const isScalp = new Uint8Array(head.vertexCount);
  const isOther = new Uint8Array(head.vertexCount);
  const neighbours = Array.from({ length: head.vertexCount }, () => new Set<number>());
  for (let triangle = 0; triangle < head.triangleCount; triangle++) {
    const region = head.triangleRegions[triangle];
    if (!skinNames.has(head.regionNames[region])) continue;
    const corners = head.triangles.subarray(triangle * 3, triangle * 3 + 3);
    for (const corner of corners) {
      if (region === scalp) isScalp[corner] = 1;
      else isOther[corner] = 1;
      for (const other of corners) if (other !== corner) neighbours[corner].add(other);
    }
  }
  const v = head.templateVertices;
  const depth = new Float32Array(head.vertexCount).fill(Infinity);
  let front = [...depth.keys()].filter((vertex) => isScalp[vertex] && isOther[vertex]);
  for (const vertex of front) depth[vertex] = 0;
  // Rounds of relaxation: meshes of a head settle within some tens.
  while (front.length > 0) {
    const next = new Set<number>();
    for (const vertex of front) {
      for (const other of neighbours[vertex]) {
        const length = Math.hypot(
          v[vertex * 3] - v[other * 3],
          v[vertex * 3 + 1] - v[other * 3 + 1],
          v[vertex * 3 + 2] - v[other * 3 + 2],
        );
        if (depth[vertex] + length < depth[other] - 1e-7) {
          depth[other] = depth[vertex] + length;
          next.add(other);
        }
      }
    }
    front = [...next];
  }
  let signed = depth.map((distance, vertex) =>
    Number.isFinite(distance) ? (isScalp[vertex] ? distance : -distance) : -1,
  );
  for (let pass = 0; pass < SMOOTHING_PASSES; pass++) {
    signed = signed.map((own, vertex) => {
      if (own === -1 || neighbours[vertex].size === 0) return own;
      let sum = 0;
      for (const other of neighbours[vertex]) sum += signed[other];
      return 0.4 * own + (0.6 * sum) / neighbours[vertex].size;
    });
  }
  return signed.map(
    (distance, vertex) => distance - FOREHEAD_MARGIN * smoothstep(0.3, 0.9, v[vertex * 3 + 2] / forehead[2]),
  );
}
