import type { HeadModel, LandmarkEmbedding } from '../head-model.ts';
import { FACE_REGIONS } from './embed-landmarks.ts';
import { SurfaceSearch } from './surface-search.ts';

/**
 * Where the face-mesh networks put points apart from where the canonical face has them: [point, towards the midline,
 * down], millimetres, for the subject's left half and the midline. Both networks draw the forehead and the temples lower
 * than the canonical mesh; eyes, nose, mouth and cheeks agree to about a millimetre.
 *
 * Measured on the built-in head (whose points are the canonical ones), rendered without hair: 15 views of 3 identities,
 * residuals turned back into the head's frame, mean of both networks and both sides; entries below 1.2 mm and those on
 * which the networks differ (the chin, 4 against 1 mm) are left out. ICT-FaceKit, registered on its own, shows the same.
 */
const OFFSETS_MILLIMETRES: readonly (readonly [number, number, number])[] = [
  [10, 0, 5.0], [338, 0.2, 5.1], [297, 0.3, 5.1], [332, 0.7, 5.1], [284, 1.1, 5.0], [251, 1.4, 4.7], [389, 1.5, 4.2],
  [356, 1.0, 3.1], [454, 0.5, 2.0], [151, 0, 2.9], [337, -0.2, 3.0], [299, -0.5, 2.8], [333, -0.6, 2.7],
  [298, -0.3, 2.7], [301, 0, 2.6], [368, 0.2, 2.5], [383, -0.6, 1.3], [264, 0.1, 1.9], [447, 0.1, 1.3], [9, 0, 1.3],
]; // prettier-ignore

/** The points' twins on the subject's right. */
const RIGHT_OF_LEFT: Readonly<Record<number, number>> = {
  338: 109, 297: 67, 332: 103, 284: 54, 251: 21, 389: 162, 356: 127, 454: 234, 337: 108, 299: 69, 333: 104, 298: 68,
  301: 71, 368: 139, 383: 156, 264: 34, 447: 227,
}; // prettier-ignore

const MIN_NORMAL_AGREEMENT = 0.4;

/**
 * Moves an embedding of the canonical points over the skin to where the networks see them. A tracker that took the
 * canonical places would explain the difference by pitch and focal length.
 */
export function alignToNetwork(
  head: Omit<HeadModel, 'landmarks'>,
  { triangleIndices, barycentrics }: LandmarkEmbedding,
): LandmarkEmbedding {
  const regions = new Set(FACE_REGIONS.map((name) => head.regionNames.indexOf(name)));
  const skin = [...head.triangleRegions.keys()].filter((triangle) => regions.has(head.triangleRegions[triangle]));
  const search = new SurfaceSearch(head.templateVertices, head.triangles, skin, 0.006);
  const aligned = { triangleIndices: triangleIndices.slice(), barycentrics: barycentrics.slice() };
  const move = (landmark: number, across: number, down: number): void => {
    const triangle = triangleIndices[landmark];
    const at = (axis: number): number =>
      [0, 1, 2].reduce(
        (sum, k) =>
          sum + barycentrics[landmark * 3 + k] * head.templateVertices[head.triangles[triangle * 3 + k] * 3 + axis],
        0,
      );
    const normal = search.normal(triangle);
    const found = search.closest([at(0) + across / 1000, at(1) - down / 1000, at(2)], 0.02, (other) => {
      const [x, y, z] = search.normal(other);
      return x * normal[0] + y * normal[1] + z * normal[2] > MIN_NORMAL_AGREEMENT;
    });
    if (!found) return;
    aligned.triangleIndices[landmark] = found.triangle;
    aligned.barycentrics.set(found.barycentric, landmark * 3);
  };
  for (const [landmark, inwards, down] of OFFSETS_MILLIMETRES) {
    move(landmark, -inwards, down);
    if (landmark in RIGHT_OF_LEFT) move(RIGHT_OF_LEFT[landmark], inwards, down);
  }
  return aligned;
}
