import type { HeadModel } from '../head/head-model.ts';
import { poseVertices } from '../head/pose-vertices.ts';
import type { Image } from '../video/frame.ts';
import { FACE_MESH_PARTS } from './solve-landmarks.ts';
import type { Track } from './track.ts';

/** What to draw over a frame. All points in pixels of the image, the top-left pixel's centre at (0.5, 0.5). */
export interface TrackOverlay {
  /** L×2: landmarks as observed; points that are not finite are left out. */
  readonly observed?: ArrayLike<number>;
  /** L×2: the solved head's landmarks. */
  readonly reprojected?: ArrayLike<number>;
  /** K×4: lines of the head, x0, y0, x1, y1. */
  readonly edges?: ArrayLike<number>;
}

/**
 * What a track says about one of its frames, in pixels of the frame's camera: the head's landmarks and the contours of
 * lips, lids and face. `observed` (L×3 in the same pixels, see `landmarksInCrop`) is passed on.
 */
export function overlayOf(
  head: HeadModel,
  track: Track,
  frameIndex: number,
  observed?: ArrayLike<number>,
): TrackOverlay {
  const { pose, camera } = track.frames[frameIndex];
  const vertices = poseVertices(head, track.identityCoefficients, pose);
  const { triangleIndices, barycentrics } = head.landmarks;
  const reprojected = new Float64Array(triangleIndices.length * 2);
  triangleIndices.forEach((triangle, landmark) => {
    const [x, y, z] = [0, 1, 2].map((axis) =>
      [0, 1, 2].reduce(
        (sum, k) => sum + barycentrics[landmark * 3 + k] * vertices[head.triangles[triangle * 3 + k] * 3 + axis],
        0,
      ),
    );
    reprojected[landmark * 2] = (camera.focalX * x) / z + camera.principalX;
    reprojected[landmark * 2 + 1] = (camera.focalY * y) / z + camera.principalY;
  });
  const { lipsOuter, lipsInner, leftEyelids, rightEyelids, faceOval } = FACE_MESH_PARTS;
  const edges = [lipsOuter, lipsInner, leftEyelids, rightEyelids, faceOval].flatMap((loop: readonly number[]) =>
    loop.flatMap((landmark, i) => {
      const next = loop[(i + 1) % loop.length];
      return [landmark, next].flatMap((l) => [reprojected[l * 2], reprojected[l * 2 + 1]]);
    }),
  );
  if (!observed) return { reprojected, edges };
  const points = Float64Array.from(reprojected, (_, i) => observed[Math.floor(i / 2) * 3 + (i % 2)]);
  return { observed: points, reprojected, edges };
}

type Rgb = readonly [number, number, number];
const OBSERVED: Rgb = [255, 60, 60];
const REPROJECTED: Rgb = [60, 255, 90];
const JOINING: Rgb = [255, 230, 0];
const EDGE: Rgb = [90, 190, 255];
const EDGE_OPACITY = 0.45;

/**
 * A copy of an image with a track drawn over it: the head's edges in blue, observed landmarks in red, the solved head's
 * in green, and a yellow line between the two. For reports; pure.
 */
export function drawTrack(image: Image, { observed, reprojected, edges }: TrackOverlay): Image {
  const drawn: Image = { ...image, data: new Uint8Array(image.data) };
  for (let k = 0; edges && k + 3 < edges.length; k += 4) {
    drawLine(drawn, edges[k], edges[k + 1], edges[k + 2], edges[k + 3], EDGE, EDGE_OPACITY);
  }
  const radius = Math.max(1, image.width / 400);
  const count = Math.max(observed?.length ?? 0, reprojected?.length ?? 0);
  for (let k = 0; k + 1 < count; k += 2) {
    if (observed && reprojected) {
      drawLine(drawn, observed[k], observed[k + 1], reprojected[k], reprojected[k + 1], JOINING, 1);
    }
    if (observed) drawDot(drawn, observed[k], observed[k + 1], radius, OBSERVED);
    if (reprojected) drawDot(drawn, reprojected[k], reprojected[k + 1], radius, REPROJECTED);
  }
  return drawn;
}

function drawLine(image: Image, x0: number, y0: number, x1: number, y1: number, color: Rgb, opacity: number): void {
  const length = Math.hypot(x1 - x0, y1 - y0);
  // Lines to points behind the camera or far outside would take forever.
  if (!(length < 4 * Math.max(image.width, image.height))) return;
  const steps = Math.max(1, Math.ceil(length));
  for (let step = 0; step <= steps; step++) {
    const share = step / steps;
    blend(image, Math.floor(x0 + share * (x1 - x0)), Math.floor(y0 + share * (y1 - y0)), color, opacity);
  }
}

function drawDot(image: Image, x: number, y: number, radius: number, color: Rgb): void {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  for (let row = Math.floor(y - radius - 1); row <= y + radius; row++) {
    for (let column = Math.floor(x - radius - 1); column <= x + radius; column++) {
      const inside = radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y);
      blend(image, column, row, color, Math.min(1, Math.max(0, inside)));
    }
  }
}

function blend(image: Image, column: number, row: number, color: Rgb, opacity: number): void {
  if (column < 0 || row < 0 || column >= image.width || row >= image.height || opacity <= 0) return;
  const start = (row * image.width + column) * image.channels;
  for (let k = 0; k < 3; k++) {
    image.data[start + k] = Math.round(image.data[start + k] * (1 - opacity) + color[k] * opacity);
  }
}
