import { encodePngRaster, type Raster } from '../avatar/png.ts';
import type { HeadModel, RegionName } from '../head/head-model.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, hasInk } from './bitmap-font.ts';
import type { Rgb } from './canvas.ts';

type Atlas = Pick<HeadModel, 'uvs' | 'uvTriangles' | 'triangleCount' | 'regionNames' | 'triangleRegions' | 'landmarks'>;

/** Colours of the regions; mirrored parts share one. */
const REGION_COLORS: Readonly<Record<RegionName, Rgb>> = {
  face: [244, 205, 178], scalp: [176, 160, 148], neck: [226, 190, 165], leftEar: [240, 170, 150],
  rightEar: [240, 170, 150], lips: [222, 120, 120], leftEyelids: [196, 174, 220], rightEyelids: [196, 174, 220],
  leftEyeSocket: [150, 150, 190], rightEyeSocket: [150, 150, 190], leftEyeball: [150, 200, 235],
  rightEyeball: [150, 200, 235], mouthCavity: [160, 90, 100], gums: [230, 150, 160], upperTeeth: [245, 240, 215],
  lowerTeeth: [235, 228, 195], tongue: [214, 110, 125],
}; // prettier-ignore

/** Places inside the face, by their number in MediaPipe's face mesh. Left and right are the subject's. */
const PLACES: readonly (readonly [string, number])[] = [
  ['nose', 1], ['forehead', 151], ['chin', 199], ['left cheek', 280], ['right cheek', 50], ['left brow', 334],
  ['right brow', 105], ['left jaw', 397], ['right jaw', 172],
]; // prettier-ignore

const LINE: Rgb = [30, 34, 48];
const BORDER: Rgb = [200, 30, 60];
const INK: Rgb = [20, 20, 26];
const PAPER: Rgb = [255, 255, 255];
const BACKGROUND: Rgb = [246, 246, 248];

/** Guides for painting, `size`²: the atlas's triangles on nothing, to lay over a texture, and its parts with their names. */
export function uvGuides(head: Atlas, size: number): Map<string, Uint8Array> {
  return new Map([
    ['uv-wireframe.png', encodePngRaster(wireframeGuide(head, size))],
    ['uv-regions.png', encodePngRaster(regionGuide(head, size))],
  ]);
}

/** Triangle edges as thin dark lines, borders of charts red and wider; transparent elsewhere. RGBA. */
export function wireframeGuide(head: Atlas, size: number): Raster {
  const drawing = new Drawing(size, 4);
  const edges = atlasEdges(head);
  for (const { from, to, isBorder } of edges) if (!isBorder) drawing.line(from, to, 0.5, LINE, 0.75);
  for (const { from, to, isBorder } of edges) if (isBorder) drawing.line(from, to, size / 1024, BORDER, 1);
  return drawing.raster();
}

/** Each region in its colour, with the names of regions and of places in the face. RGB. */
export function regionGuide(head: Atlas, size: number): Raster {
  const drawing = new Drawing(size, 3, BACKGROUND);
  const regions = regionTexels(head, size);
  regions.forEach((region, texel) => {
    if (region > 0) drawing.blend(texel, REGION_COLORS[head.regionNames[region - 1]] ?? BACKGROUND, 1);
  });
  for (const { from, to, isBorder } of atlasEdges(head))
    drawing.line(from, to, isBorder ? size / 1024 : 0.5, isBorder ? BORDER : LINE, isBorder ? 1 : 0.18);
  const scale = Math.max(1, Math.round(size / 700));
  const labels = new Labels(drawing, scale);
  const places = PLACES.filter(([, index]) => index < head.landmarks.triangleIndices.length);
  const points = places.map(([name, index]) => ({ name, at: landmarkUv(head, index) }));
  for (const { at } of points) drawing.disc(at[0] * size, at[1] * size, scale * 2, INK);
  for (const { name, at } of points) labels.put(name, at[0] * size, at[1] * size + scale * 9);
  head.regionNames.forEach((name, region) => {
    // The face is named by its places.
    if (name === 'face') return;
    for (const [x, y] of labelPlaces(regions, size, region + 1)) labels.put(words(name), x, y);
  });
  return drawing.raster();
}

function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

interface Edge {
  /** UV, 0…1. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  /** Of one triangle only. */
  readonly isBorder: boolean;
}

function atlasEdges({ uvs, uvTriangles, triangleCount }: Atlas): Edge[] {
  const counts = new Map<number, number>();
  const uvCount = uvs.length / 2;
  for (let triangle = 0; triangle < triangleCount; triangle++) {
    for (let corner = 0; corner < 3; corner++) {
      const [a, b] = [uvTriangles[triangle * 3 + corner], uvTriangles[triangle * 3 + ((corner + 1) % 3)]];
      const key = Math.min(a, b) * uvCount + Math.max(a, b);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].map(([key, count]) => {
    const [a, b] = [Math.floor(key / uvCount), key % uvCount];
    return { from: [uvs[a * 2], uvs[a * 2 + 1]], to: [uvs[b * 2], uvs[b * 2 + 1]], isBorder: count === 1 };
  });
}

/** size²: 1 + region of the triangle that a pixel's centre lies in, 0 outside. */
function regionTexels({ uvs, uvTriangles, triangleCount, triangleRegions }: Atlas, size: number): Uint8Array {
  const regions = new Uint8Array(size * size);
  for (let triangle = 0; triangle < triangleCount; triangle++) {
    const [a, b, c] = [0, 1, 2].map((corner) => uvTriangles[triangle * 3 + corner] * 2);
    const [ax, ay, bx, by, cx, cy] = [a, a + 1, b, b + 1, c, c + 1].map((at) => uvs[at] * size - 0.5);
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area === 0) continue;
    for (
      let row = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
      row <= Math.min(size - 1, Math.max(ay, by, cy));
      row++
    ) {
      const lastColumn = Math.min(size - 1, Math.max(ax, bx, cx));
      for (let column = Math.max(0, Math.ceil(Math.min(ax, bx, cx))); column <= lastColumn; column++) {
        const wa = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area;
        const wb = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area;
        if (wa >= 0 && wb >= 0 && wa + wb <= 1) regions[row * size + column] = triangleRegions[triangle] + 1;
      }
    }
  }
  return regions;
}

function landmarkUv({ uvs, uvTriangles, landmarks }: Atlas, index: number): [number, number] {
  const triangle = landmarks.triangleIndices[index];
  const uv: [number, number] = [0, 0];
  for (let corner = 0; corner < 3; corner++) {
    const at = uvTriangles[triangle * 3 + corner] * 2;
    uv[0] += landmarks.barycentrics[index * 3 + corner] * uvs[at];
    uv[1] += landmarks.barycentrics[index * 3 + corner] * uvs[at + 1];
  }
  return uv;
}

/** A part of a region smaller than this share of its largest part goes without a name, and so do third parts: teeth. */
const NAMED_SHARE = 0.4;
const NAMED_PARTS = 2;

/** The innermost pixel of the largest connected parts of a region: farthest from what is not the region. */
function labelPlaces(regions: Uint8Array, size: number, region: number): [number, number][] {
  const depth = depthInside(regions, size, region);
  const seen = new Uint8Array(size * size);
  const parts: number[][] = [];
  for (let start = 0; start < depth.length; start++) {
    if (depth[start] === 0 || seen[start]) continue;
    const pending = [start];
    seen[start] = 1;
    const texels: number[] = [];
    while (pending.length > 0) {
      const texel = pending.pop()!;
      texels.push(texel);
      for (const other of neighbours(texel, size)) {
        if (other < 0 || depth[other] === 0 || seen[other]) continue;
        seen[other] = 1;
        pending.push(other);
      }
    }
    parts.push(texels);
  }
  parts.sort((a, b) => b.length - a.length);
  return parts
    .filter((texels) => texels.length >= NAMED_SHARE * parts[0].length)
    .slice(0, NAMED_PARTS)
    .map((texels) => innermost(texels, depth, size));
}

/** Of the deepest pixels (a strip has many) the one nearest to their middle. */
function innermost(texels: readonly number[], depth: Uint16Array, size: number): [number, number] {
  const most = texels.reduce((greatest, texel) => Math.max(greatest, depth[texel]), 0);
  const deepest = texels
    .filter((texel) => depth[texel] > most - 2)
    .map((texel): [number, number] => [(texel % size) + 0.5, Math.floor(texel / size) + 0.5]);
  const middle = [0, 1].map((axis) => deepest.reduce((sum, point) => sum + point[axis], 0) / deepest.length);
  const distance = ([x, y]: readonly [number, number]): number => Math.hypot(x - middle[0], y - middle[1]);
  return deepest.reduce((best, point) => (distance(point) < distance(best) ? point : best));
}

/** Steps to the nearest pixel outside the region, 0 outside. */
function depthInside(regions: Uint8Array, size: number, region: number): Uint16Array {
  const depth = new Uint16Array(size * size);
  let front: number[] = [];
  const isInside = (texel: number): boolean => texel >= 0 && texel < regions.length && regions[texel] === region;
  for (let texel = 0; texel < regions.length; texel++) {
    if (!isInside(texel) || neighbours(texel, size).every(isInside)) continue;
    depth[texel] = 1;
    front.push(texel);
  }
  while (front.length > 0) {
    const next: number[] = [];
    for (const texel of front) {
      for (const other of neighbours(texel, size)) {
        if (!isInside(other) || depth[other] > 0) continue;
        depth[other] = depth[texel] + 1;
        next.push(other);
      }
    }
    front = next;
  }
  return depth;
}

/** Left, right, above, below; −1 beyond the border. */
function neighbours(texel: number, size: number): [number, number, number, number] {
  const column = texel % size;
  const below = texel + size;
  return [
    column > 0 ? texel - 1 : -1,
    column < size - 1 ? texel + 1 : -1,
    texel - size < 0 ? -1 : texel - size,
    below < size * size ? below : -1,
  ];
}

/** Names in boxes that keep clear of each other. */
class Labels {
  readonly #drawing: Drawing;
  readonly #scale: number;
  readonly #taken: { left: number; top: number; right: number; bottom: number }[] = [];

  constructor(drawing: Drawing, scale: number) {
    this.#drawing = drawing;
    this.#scale = scale;
  }

  /** Puts a name as near to (x, y) as there is room. */
  put(name: string, x: number, y: number): void {
    const scale = this.#scale;
    const width = (name.length * (GLYPH_WIDTH + 1) + 1) * scale;
    const height = (GLYPH_HEIGHT + 2) * scale;
    const { size } = this.#drawing;
    for (let attempt = 0; attempt < 40; attempt++) {
      // Below, above, further below …
      const shift = Math.ceil(attempt / 2) * (attempt % 2 === 1 ? 1 : -1) * height * 0.5;
      const left = Math.round(Math.max(0, Math.min(size - width, x - width / 2)));
      const top = Math.round(Math.max(0, Math.min(size - height, y + shift - height / 2)));
      const box = { left, top, right: left + width, bottom: top + height };
      if (this.#taken.some((other) => overlaps(other, box, scale))) continue;
      this.#taken.push(box);
      if (attempt > 0) this.#drawing.line([x / size, y / size], [(left + width / 2) / size, (top + height / 2) / size], scale / 2, INK, 0.6); // prettier-ignore
      this.#drawing.box(left, top, width, height, PAPER, 0.85);
      this.#drawing.text(left + scale, top + scale, name, scale, INK);
      return;
    }
  }
}

function overlaps(
  a: { left: number; top: number; right: number; bottom: number },
  b: { left: number; top: number; right: number; bottom: number },
  gap: number,
): boolean {
  return a.left < b.right + gap && b.left < a.right + gap && a.top < b.bottom + gap && b.top < a.bottom + gap;
}

/** A square picture with smooth lines. RGBA starts transparent. */
class Drawing {
  readonly size: number;
  readonly #channels: 3 | 4;
  readonly #data: Uint8Array;

  constructor(size: number, channels: 3 | 4, background?: Rgb) {
    this.size = size;
    this.#channels = channels;
    this.#data = new Uint8Array(size * size * channels);
    if (background) for (let texel = 0; texel < size * size; texel++) this.#data.set(background, texel * channels);
  }

  raster(): Raster {
    return { width: this.size, height: this.size, channels: this.#channels, bitDepth: 8, data: this.#data };
  }

  /** Lays a colour over a pixel. */
  blend(texel: number, color: Rgb, coverage: number): void {
    const at = texel * this.#channels;
    const below = this.#channels === 4 ? this.#data[at + 3] / 255 : 1;
    const alpha = coverage + below * (1 - coverage);
    if (alpha <= 0) return;
    for (let channel = 0; channel < 3; channel++) {
      const mixed = color[channel] * coverage + this.#data[at + channel] * below * (1 - coverage);
      this.#data[at + channel] = Math.round(mixed / alpha);
    }
    if (this.#channels === 4) this.#data[at + 3] = Math.round(255 * alpha);
  }

  /** Between two points of 0…1; `radius` in pixels. */
  line(
    from: readonly [number, number],
    to: readonly [number, number],
    radius: number,
    color: Rgb,
    strength: number,
  ): void {
    const { size } = this;
    const [ax, ay, bx, by] = [...from, ...to].map((value) => value * size);
    const length2 = (bx - ax) ** 2 + (by - ay) ** 2;
    const reach = radius + 0.5;
    const lastRow = Math.min(size - 1, Math.floor(Math.max(ay, by) + reach));
    const lastColumn = Math.min(size - 1, Math.floor(Math.max(ax, bx) + reach));
    for (let row = Math.max(0, Math.floor(Math.min(ay, by) - reach)); row <= lastRow; row++) {
      for (let column = Math.max(0, Math.floor(Math.min(ax, bx) - reach)); column <= lastColumn; column++) {
        const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
        const along = length2 > 0 ? Math.max(0, Math.min(1, (px * (bx - ax) + py * (by - ay)) / length2)) : 0;
        const distance = Math.hypot(px - along * (bx - ax), py - along * (by - ay));
        const coverage = Math.min(1, reach - distance) * strength;
        if (coverage > 0) this.blend(row * size + column, color, coverage);
      }
    }
  }

  disc(x: number, y: number, radius: number, color: Rgb): void {
    this.line([x / this.size, y / this.size], [x / this.size, y / this.size], radius, color, 1);
  }

  box(left: number, top: number, width: number, height: number, color: Rgb, strength: number): void {
    for (let row = Math.max(0, top); row < Math.min(this.size, top + height); row++) {
      for (let column = Math.max(0, left); column < Math.min(this.size, left + width); column++)
        this.blend(row * this.size + column, color, strength);
    }
  }

  text(left: number, top: number, text: string, scale: number, color: Rgb): void {
    [...text].forEach((character, index) => {
      for (let row = 0; row < GLYPH_HEIGHT; row++) {
        for (let column = 0; column < GLYPH_WIDTH; column++) {
          if (!hasInk(character, column, row)) continue;
          this.box(left + (index * (GLYPH_WIDTH + 1) + column) * scale, top + row * scale, scale, scale, color, 1);
        }
      }
    });
  }
}
