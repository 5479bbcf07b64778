import type { HeadModel } from '../head/head-model.ts';
import { poseVertices } from '../head/pose-vertices.ts';
import type { HeadPose } from '../head/pose.ts';
import type { Camera } from './track.ts';

/** L×2 pixels: where the head's landmarks fall in the camera's image. NaN for points behind the camera. */
export function projectLandmarks(
  head: HeadModel,
  identityCoefficients: ArrayLike<number>,
  pose: HeadPose,
  camera: Camera,
): Float32Array {
  const vertices = poseVertices(head, identityCoefficients, pose);
  const { triangleIndices, barycentrics } = head.landmarks;
  const points = new Float32Array(triangleIndices.length * 2);
  triangleIndices.forEach((triangle, landmark) => {
    const point = [0, 0, 0];
    for (let corner = 0; corner < 3; corner++) {
      const vertex = head.triangles[triangle * 3 + corner]!;
      for (let axis = 0; axis < 3; axis++)
        point[axis]! += barycentrics[landmark * 3 + corner]! * vertices[vertex * 3 + axis]!;
    }
    const [x, y, z] = point as [number, number, number];
    points[landmark * 2] = z > 0 ? camera.principalX + (camera.focalX * x) / z : NaN;
    points[landmark * 2 + 1] = z > 0 ? camera.principalY + (camera.focalY * y) / z : NaN;
  });
  return points;
}
