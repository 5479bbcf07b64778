import type { HeadModel } from '../head/head-model.ts';
import type { Image } from '../video/frame.ts';

/** A point of the head's surface that a texel shows. */
export interface Texel {
  /** Metres, on the template. */
  x: number;
  y: number;
  z: number;
  triangle: number;
  /** Weights of the triangle's corners. */
  wa: number;
  wb: number;
  wc: number;
}
/** Encoded RGB or RGBA 0…1 into `out`. */
export type Painter = (texel: Readonly<Texel>, out: Float32Array) => void;

/** Texels outside the charts are filled this far, so that filtering at a chart's border finds its own colours. */
const DILATION = 4;

/** Paints a head's atlas, size² RGBA: calls `paint` for every texel that lies on one of `triangles`. */
export function paintAtlas(head: HeadModel, triangles: Iterable<number>, size: number, paint: Painter): Image {
  const channels = [0, 1, 2, 3].map(() => new Float32Array(size * size));
  const color = new Float32Array(4);
  const covered = visitAtlas(head, triangles, size, (at, texel) => {
    color[3] = 1;
    paint(texel, color);
    channels.forEach((channel, k) => (channel[at] = color[k]));
  });
  const data = new Uint8Array(size * size * 4);
  channels.forEach((channel, k) => {
    for (const at of dilate(channel, covered, size))
      data[at * 4 + k] = Math.round(255 * Math.min(1, Math.max(0, channel[at])));
  });
  return { width: size, height: size, channels: 4, data };
}

/** Calls `visit` for every texel (row-major index) of a size² atlas that shows one of `triangles`; returns those texels. */
export function visitAtlas(
  head: HeadModel,
  triangles: Iterable<number>,
  size: number,
  visit: (at: number, texel: Readonly<Texel>) => void,
): Uint32Array {
  const state = new Uint8Array(size * size); // 1: just beyond an edge, 2: inside
  const texel: Texel = { x: 0, y: 0, z: 0, triangle: 0, wa: 0, wb: 0, wc: 0 };
  const { uvs, uvTriangles, templateVertices: v } = head;
  for (const triangle of triangles) {
    const [ua, ub, uc] = [0, 1, 2].map((k) => uvTriangles[triangle * 3 + k] * 2);
    const [ax, ay, bx, by, cx, cy] = [ua, ua + 1, ub, ub + 1, uc, uc + 1].map((i) => uvs[i] * size);
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area === 0) continue;
    const [a, b, c] = [0, 1, 2].map((k) => head.triangles[triangle * 3 + k] * 3);
    texel.triangle = triangle;
    // Half a texel beyond the edges, so that neighbours leave no gap.
    const slack = -0.75 / Math.sqrt(Math.abs(area) + 1);
    const lastRow = Math.min(size, Math.max(ay, by, cy) + 1);
    const lastColumn = Math.min(size, Math.max(ax, bx, cx) + 1);
    for (let row = Math.max(0, Math.floor(Math.min(ay, by, cy) - 1)); row < lastRow; row++) {
      for (let column = Math.max(0, Math.floor(Math.min(ax, bx, cx) - 1)); column < lastColumn; column++) {
        const [px, py] = [column + 0.5, row + 0.5];
        const wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area;
        const wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area;
        const wc = 1 - wa - wb;
        if (wa < slack || wb < slack || wc < slack) continue;
        const at = row * size + column;
        const isInside = wa >= 0 && wb >= 0 && wc >= 0;
        if (state[at] === 2 || (state[at] === 1 && !isInside)) continue;
        state[at] = isInside ? 2 : 1;
        texel.x = wa * v[a] + wb * v[b] + wc * v[c];
        texel.y = wa * v[a + 1] + wb * v[b + 1] + wc * v[c + 1];
        texel.z = wa * v[a + 2] + wb * v[b + 2] + wc * v[c + 2];
        [texel.wa, texel.wb, texel.wc] = [wa, wb, wc];
        visit(at, texel);
      }
    }
  }
  return Uint32Array.from(Array.from(state.keys()).filter((at) => state[at] > 0));
}

/** Carries values some texels beyond `covered`, for filtering at the charts' borders; returns all texels that now have one. */
export function dilate(values: Float32Array, covered: Uint32Array, size: number): Uint32Array {
  const isKnown = new Uint8Array(size * size);
  for (const at of covered) isKnown[at] = 1;
  const all = Array.from(covered);
  let front = all;
  for (let pass = 0; pass < DILATION; pass++) {
    const next: number[] = [];
    for (const at of front) {
      const column = at % size;
      for (const other of [column > 0 ? at - 1 : -1, column < size - 1 ? at + 1 : -1, at - size, at + size]) {
        if (other < 0 || other >= size * size || isKnown[other]) continue;
        isKnown[other] = 1;
        values[other] = values[at];
        next.push(other);
      }
    }
    all.push(...next);
    front = next;
  }
  return Uint32Array.from(all);
}
