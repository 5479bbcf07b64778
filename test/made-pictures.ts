import { poseVertices } from '../src/head/pose-vertices.ts';
import type { HeadModel } from '../src/head/head-model.ts';
import type { HeadPose } from '../src/head/pose.ts';
import { cropCamera } from '../src/tracking/solve-assemble.ts';
import type { Image } from '../src/video/frame.ts';
import type { MadeClip } from './made-clip.ts';

/** Frames of a made clip as a tracker gets them: a patterned face, RGBA with an exact matte, `size`². */
export function madePictures(head: HeadModel, clip: MadeClip, size: number): Image[] {
  const video = { width: clip.videoWidth, height: clip.videoHeight };
  return clip.poses.map((pose, i) => {
    const camera = cropCamera(clip.focal, video, clip.crops[i]!, size);
    return drawFace(head, clip.identity, pose, camera.focalX, camera.principalX, camera.principalY, size);
  });
}

/** Blotches of one to three centimetres, everywhere different, by place on the template. */
function pattern(x: number, y: number, z: number): number {
  const wave = (a: number, b: number, c: number, phase: number): number => Math.sin(a * x + b * y + c * z + phase);
  return 128 + 30 * wave(310, 170, 90, 0) + 30 * wave(-210, 350, 60, 1) + 25 * wave(520, -280, 0, 2) + 25 * wave(90, 610, 0, 3);
} // prettier-ignore

function drawFace(
  head: HeadModel,
  identity: Float32Array,
  pose: HeadPose,
  focal: number,
  principalX: number,
  principalY: number,
  size: number,
): Image {
  const posed = poseVertices(head, identity, pose);
  const data = new Uint8Array(size * size * 4);
  const depths = new Float64Array(size * size).fill(Number.POSITIVE_INFINITY);
  for (let triangle = 0; triangle < head.triangleCount; triangle++) {
    const corners = [0, 1, 2].map((k) => head.triangles[triangle * 3 + k]! * 3);
    const [a, b, c] = corners.map((at) => {
      const [x, y, z] = posed.subarray(at, at + 3);
      return { x: principalX + (focal * x!) / z!, y: principalY + (focal * y!) / z!, z: z! };
    }) as [Corner, Corner, Corner];
    const area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if (area === 0) continue;
    const [left, right] = [Math.min(a.x, b.x, c.x), Math.max(a.x, b.x, c.x)];
    const [top, bottom] = [Math.min(a.y, b.y, c.y), Math.max(a.y, b.y, c.y)];
    for (let y = Math.max(0, Math.floor(top)); y <= Math.min(size - 1, bottom); y++) {
      for (let x = Math.max(0, Math.floor(left)); x <= Math.min(size - 1, right); x++) {
        const [u, v] = [x + 0.5 - a.x, y + 0.5 - a.y];
        const s = (u * (c.y - a.y) - v * (c.x - a.x)) / area;
        const t = ((b.x - a.x) * v - (b.y - a.y) * u) / area;
        if (s < 0 || t < 0 || s + t > 1) continue;
        const depth = a.z + s * (b.z - a.z) + t * (c.z - a.z);
        const pixel = y * size + x;
        if (depth >= depths[pixel]!) continue;
        depths[pixel] = depth;
        const place = [0, 1, 2].map((axis) =>
          [1 - s - t, s, t].reduce((sum, weight, k) => sum + weight * head.templateVertices[corners[k]! + axis]!, 0),
        ) as [number, number, number];
        data.fill(Math.round(pattern(...place)), pixel * 4, pixel * 4 + 3);
        data[pixel * 4 + 3] = 255;
      }
    }
  }
  return { width: size, height: size, channels: 4, data };
}

interface Corner {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}
