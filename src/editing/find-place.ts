import { placeUv } from '../binding/sampling.ts';
import type { Avatar } from '../avatar/avatar.ts';
import { pointAt, type Vector } from '../head/builtin/vector.ts';
import type { HeadPose } from '../head/pose.ts';
import type { Camera } from '../tracking/track.ts';
import { firstHit, placeAtUv, posedVertices, type SurfacePlace } from './head-surface.ts';
import { EditError } from './layers.ts';
import { NAMED_PLACES } from './named-places.ts';
import { smoothHead } from './smooth-head.ts';

type Uv = [u: number, v: number];

/** Points such as `0.2,0.3 0.25,0.3`. Throws `EditError`. */
export function parsePoints(text: string, option: string): [number, number][] {
  return text.trim().split(/\s+/).map((part) => {
    const numbers = part.split(',').map((piece) => (piece.trim() === '' ? Number.NaN : Number(piece)));
    if (numbers.length === 2 && numbers.every(Number.isFinite)) return [numbers[0], numbers[1]];
    throw new EditError(`${option}: "${part}" is no point; give two numbers such as 0.2,0.3, several points apart by spaces`);
  }); // prettier-ignore
}

/** A point of the atlas, if some chart is there. Throws `EditError`. */
export function checkUv({ head }: Pick<Avatar, 'head'>, [u, v]: readonly [number, number]): Uv {
  if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) {
    throw new EditError(`uv ${u},${v} lies outside the atlas; both go from 0 to 1, from the top left`);
  }
  if (placeAtUv(head, u, v)) return [u, v];
  throw new EditError(
    `uv ${u},${v} lies between the charts of the atlas, where no head is; baked/uv-regions.png shows where it is`,
  );
}

/** The point of the atlas that a pixel shows when the avatar is drawn in a pose. Throws `EditError` beside the head. */
export function pickPlace(avatar: Avatar, pose: HeadPose, camera: Camera, [x, y]: readonly [number, number]): Uv {
  if (!(x >= 0 && y >= 0 && x <= camera.width && y <= camera.height)) {
    throw new EditError(
      `pixel ${x},${y} lies outside the picture of ${camera.width}×${camera.height}; --picture gives its edge`,
    );
  }
  const vertices = posedVertices(smoothHead(avatar), pose);
  const direction: Vector = [(x - camera.principalX) / camera.focalX, (y - camera.principalY) / camera.focalY, 1];
  const place = firstHit(avatar.head.triangles, vertices, [0, 0, 0], direction);
  if (!place) {
    throw new EditError(
      `pixel ${x},${y} misses the head: there is only background; pick a pixel on it, in the picture that \`fate render\` draws with the same --yaw, --pitch, --expression and --size`,
    );
  }
  return uvOf(avatar, place);
}

/** The point of the atlas at a place that has a name. Throws `EditError`. */
export function namedPlace(avatar: Avatar, name: string): Uv {
  const landmark = NAMED_PLACES[name];
  if (landmark === undefined) {
    throw new EditError(`there is no place "${name}"; places: ${Object.keys(NAMED_PLACES).join(', ')}`);
  }
  const { triangleIndices, barycentrics } = avatar.head.landmarks;
  return uvOf(avatar, { triangle: triangleIndices[landmark], barycentric: pointAt(barycentrics, landmark) });
}

/** Rounded as it is written to the list: a hundredth of a millimetre on the head. */
function uvOf({ head }: Avatar, place: SurfacePlace): Uv {
  const [u, v] = placeUv(head, place.triangle, place.barycentric);
  return [Number(u.toFixed(6)), Number(v.toFixed(6))];
}
