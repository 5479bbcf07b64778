import { beforeAll, describe, expect, it } from 'vitest';
import { checkerboard } from '../../benchmarks/edits/images.ts';
import { bleedingFigures, checkerFigures, driftFigure, squareMiddles } from '../../test/edit-measures.ts';
import { testGpu } from '../../test/gpu.ts';
import { madeMaps } from '../../test/made-maps.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import { bakedGaussians, type BakedAvatar } from '../baking/baked-avatar.ts';
import { pointAt } from '../head/builtin/vector.ts';
import type { Image } from '../video/frame.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../viewer/views.ts';
import { editAvatar } from './edited-avatar.ts';
import { namedPlace, pickPlace } from './find-place.ts';
import { flattenMaps } from './flatten.ts';
import { headSurface, placeAtUv, regionOf, type HeadSurface } from './head-surface.ts';
import { LAYER_DEFAULTS, type Layer, type StickerLayer } from './layers.ts';
import { layerPainter } from './make-painter.ts';
import { okLabFromRgb } from './ok-lab.ts';
import { surfaceCoordinates } from './surface-coordinates.ts';
import { surfaceTexels, type SurfaceTexels } from './surface-texels.ts';

let baked: BakedAvatar;
let surface: HeadSurface;
let texels: SurfaceTexels;
const images = new Map<string, Image>();
const solid = (r: number, g: number, b: number, size = 8): Image => ({
  width: size, height: size, channels: 3, data: Uint8Array.from({ length: size * size * 3 }, (_, at) => [r, g, b][at % 3]),
}); // prettier-ignore

beforeAll(() => {
  const avatar = sampleAvatar(9000);
  baked = { avatar, maps: madeMaps(avatar, 256), mapped: 'appearance' };
  surface = headSurface(avatar);
  texels = surfaceTexels(surface, 256, { gutter: 0 });
  images.set('checker', checkerboard(4)).set('inverse', { ...checkerboard(4), data: checkerboard(4).data.map((v, at) => (at % 4 === 3 ? v : 255 - v)) }); // prettier-ignore
  images
    .set('blue', solid(0, 0, 255))
    .set('red', solid(255, 0, 0))
    .set('black', solid(0, 0, 0));
});

const sticker = (change: Partial<StickerLayer> = {}): StickerLayer => ({
  ...LAYER_DEFAULTS, name: 'sticker', kind: 'sticker', image: 'blue', at: namedPlace(baked.avatar, 'left-cheek'), size: 0.03, turn: 0, ...change,
}); // prettier-ignore
const flat = (...layers: Layer[]): Float32Array => flattenMaps({ surface, maps: baked.maps, layers, images }).colorMap;
/** Texels that the layers change, and how much each is of the surface, square metres. */
function changed(...layers: Layer[]): { triangles: number[]; area: number } {
  const colors = flat(...layers);
  const triangles: number[] = [];
  let area = 0;
  texels.indices.forEach((texel, index) => {
    const after = [0, 1, 2].map((k) => colors[k * 65536 + texel]);
    const change = Math.max(...after.map((value, k) => Math.abs(value - baked.maps.colorMap[k * 65536 + texel])));
    if (change < 0.02) return;
    triangles.push(texels.triangles[index]);
    area += texelArea(texels.triangles[index]) * (after[2] > 0.9 && after[0] < 0.1 ? 1 : 0.5);
  });
  return { triangles, area };
}
function texelArea(triangle: number): number {
  const [a, b, c] = [0, 1, 2].map((k) => pointAt(surface.vertices, surface.head.triangles[triangle * 3 + k]));
  const [p, q, r] = [0, 1, 2].map((k) => surface.head.uvTriangles[triangle * 3 + k] * 2);
  const { uvs } = surface.head;
  const [x, y] = [[b[0] - a[0], b[1] - a[1], b[2] - a[2]], [c[0] - a[0], c[1] - a[1], c[2] - a[2]]]; // prettier-ignore
  const area = Math.hypot(x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]);
  return (
    area /
    Math.abs((uvs[q] - uvs[p]) * (uvs[r + 1] - uvs[p + 1]) - (uvs[q + 1] - uvs[p + 1]) * (uvs[r] - uvs[p])) /
    65536
  );
}

describe('surfaceCoordinates', () => {
  it('keep lengths on a cheek, and run to the right and up for one who looks at it', () => {
    const anchor = placeAtUv(surface.head, ...namedPlace(baked.avatar, 'forehead'))!;
    const { xy, triangles } = surfaceCoordinates(surface, anchor, { radius: 0.03 });
    const ratios: number[] = [];
    for (const triangle of triangles) {
      for (let corner = 0; corner < 3; corner++) {
        const [a, b] = [corner, (corner + 1) % 3].map((k) => surface.head.triangles[triangle * 3 + k]);
        const [p, q] = [pointAt(surface.vertices, a), pointAt(surface.vertices, b)];
        const flatLength = Math.hypot(xy[b * 2] - xy[a * 2], xy[b * 2 + 1] - xy[a * 2 + 1]);
        ratios.push(flatLength / Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]));
        if (q[0] - p[0] > 0.003 && Math.abs(q[1] - p[1]) < 0.001) expect(xy[b * 2]).toBeGreaterThan(xy[a * 2]);
        if (q[1] - p[1] > 0.003 && Math.abs(q[0] - p[0]) < 0.001) expect(xy[b * 2 + 1]).toBeGreaterThan(xy[a * 2 + 1]);
      }
    }
    ratios.sort((a, b) => a - b);
    expect(ratios.length).toBeGreaterThan(100);
    expect(ratios[Math.floor(ratios.length * 0.05)]).toBeGreaterThan(0.93);
    expect(ratios[Math.floor(ratios.length * 0.95)]).toBeLessThan(1.07);
  });
});

describe('a sticker', () => {
  it('has its size on the skin, wherever it lies and however it is turned', () => {
    for (const change of [{}, { turn: 40 }, { at: namedPlace(baked.avatar, 'forehead') }]) {
      const share = changed(sticker(change)).area / 0.03 ** 2;
      expect(share).toBeGreaterThan(0.93);
      expect(share).toBeLessThan(1.07);
    }
  });

  it('goes on across the charts of the atlas', () => {
    const { triangles, area } = changed(sticker({ at: namedPlace(baked.avatar, 'left-temple'), size: 0.06 }));
    const uvs = triangles.map((triangle) => surface.head.uvs[surface.head.uvTriangles[triangle * 3] * 2 + 1]);
    expect(Math.min(...uvs)).toBeLessThan(0.5); // the face's chart
    expect(Math.max(...uvs)).toBeGreaterThan(0.55); // the skull's, below it in the atlas
    expect(area / 0.06 ** 2).toBeGreaterThan(0.75);
  });

  it('stays off the mouth, the eyes and the back of the head', () => {
    const { triangles } = changed(sticker({ at: namedPlace(baked.avatar, 'upper-lip'), size: 0.06 }));
    const regions = new Set(triangles.map((triangle) => regionOf(surface.head, triangle)));
    expect([...regions].toSorted()).toEqual(['face', 'lips']);
    const large = changed(sticker({ at: namedPlace(baked.avatar, 'nose'), size: 0.12 })).triangles;
    expect(large.length).toBeGreaterThan(1000);
    const depths = large.map((triangle) => surface.vertices[surface.head.triangles[triangle * 3] * 3 + 2]);
    expect(Math.min(...depths)).toBeGreaterThan(-0.02);
  });

  it('follows opacity, regions, its mask and being hidden; layers cover those below', () => {
    const at = texelOf(namedPlace(baked.avatar, 'left-cheek'));
    const red = (...layers: Layer[]): number => flat(...layers)[at];
    const before = baked.maps.colorMap[at];
    expect(red(sticker({ image: 'red', opacity: 0.5 }))).toBeCloseTo((1 + before) / 2, 2);
    expect(red(sticker({ image: 'red', isVisible: false }))).toBe(before);
    expect(red(sticker({ image: 'red', regions: ['lips'] }))).toBe(before);
    expect(red(sticker(), sticker({ image: 'red' }))).toBeCloseTo(1, 2);
    expect(red(sticker({ image: 'red' }), sticker())).toBeCloseTo(0, 2);
    expect(() => flat(sticker({ mask: 'black' }))).toThrow(/its mask black is black all over/);
    expect(() => flat(sticker({ image: 'lost' }))).toThrow(/needs the image lost, which is gone/);
    expect(() => flat(sticker({ at: [0.999, 0.999] }))).toThrow(/lies outside the charts/);
  });
});

function texelOf([u, v]: readonly [number, number]): number {
  return Math.floor(v * 256) * 256 + Math.floor(u * 256);
}

describe('other layers', () => {
  it('a brush paints along its points, as wide as it is', () => {
    const points = [namedPlace(baked.avatar, 'left-cheek'), namedPlace(baked.avatar, 'chin')];
    const { area } = changed({ ...LAYER_DEFAULTS, name: 's', kind: 'stroke', points, radius: 0.004, hardness: 1, color: '#0000ff', spacing: 0.3 }); // prettier-ignore
    expect(area).toBeGreaterThan(0.008 * 0.04);
    expect(area).toBeLessThan(0.008 * 0.09);
  });

  it('another hair colour is that colour on average, over the scalp and not the face', () => {
    const layer: Layer = { ...LAYER_DEFAULTS, name: 'h', kind: 'recolor', part: 'hair', color: '#3a1f9a' };
    const colors = flat(layer);
    const wanted = okLabFromRgb(0x3a / 255, 0x1f / 255, 0x9a / 255);
    const sums = { scalp: [0, 0, 0], face: [0, 0, 0] };
    const counts = { scalp: 0, face: 0 };
    texels.indices.forEach((texel, index) => {
      const region = regionOf(surface.head, texels.triangles[index]) as 'scalp' | 'face';
      if (region !== 'scalp' && region !== 'face') return;
      const [r, g, b] = [0, 1, 2].map((k) => colors[k * 65536 + texel]);
      const lab = okLabFromRgb(r, g, b);
      const before = okLabFromRgb(baked.maps.colorMap[texel], baked.maps.colorMap[65536 + texel], baked.maps.colorMap[131072 + texel]); // prettier-ignore
      counts[region]++;
      for (let k = 0; k < 3; k++) sums[region][k] += region === 'scalp' ? lab[k] : Math.abs(lab[k] - before[k]);
    });
    sums.scalp.forEach((sum, k) => expect(Math.abs(sum / counts.scalp - wanted[k])).toBeLessThan(0.05));
    sums.face.forEach((sum) => expect(sum / counts.face).toBeLessThan(0.01));
  });

  it('a picture lends its colours: the head’s mean becomes the picture’s', () => {
    images.set('sea', { width: 2, height: 1, channels: 3, data: Uint8Array.of(20, 90, 140, 60, 150, 190) });
    const colors = flat({ ...LAYER_DEFAULTS, name: 'm', kind: 'matchColors', image: 'sea' });
    const sums = [0, 0, 0];
    let count = 0;
    texels.indices.forEach((texel, index) => {
      if (surface.sheets[texels.triangles[index]] !== 0) return;
      count++;
      for (let k = 0; k < 3; k++) sums[k] += colors[k * 65536 + texel];
    });
    [40, 120, 165].forEach((value, k) => expect(Math.abs(sums[k] / count - value / 255)).toBeLessThan(0.06));
  });
});

describe('pickPlace', () => {
  it('finds what a pixel shows, and says when it misses the head', () => {
    const { avatar } = baked;
    const camera = centredCamera(avatar.camera, 256);
    const pose = poseForView(avatar, { yaw: 20 });
    const [u, v] = pickPlace(avatar, pose, camera, [128, 128]);
    expect(regionOf(avatar.head, placeAtUv(avatar.head, u, v)!.triangle)).toBe('face');
    expect(() => pickPlace(avatar, pose, camera, [3, 3])).toThrow(/pixel 3,3 misses the head/);
    expect(() => pickPlace(avatar, pose, camera, [300, 3])).toThrow(/outside the picture of 256×256/);
  });
});

describe('an edited avatar drawn at 256²', () => {
  it('shows 1 cm squares sharply from several sides and through expressions, in place and without bleeding', async () => {
    const gpu = await testGpu();
    const layer = sticker({ image: 'checker', size: 0.04 });
    const edited = editAvatar(baked, [layer], images);
    expect(edited.avatar.gaussians.count).toBeLessThan(40_000);
    const plain = bakedGaussians(baked);
    const [drawn, repainted, before] = await Promise.all(
      [edited.avatar, editAvatar(baked, [{ ...layer, image: 'inverse' }], images).avatar, plain].map((avatar) => AvatarRenderer.create(gpu, avatar)),
    ); // prettier-ignore
    const points = squareMiddles(surface, edited, layer, 4);
    expect(points.length).toBe(16);
    const camera = centredCamera(baked.avatar.camera, 256);
    for (const [yaw, expression] of [[-50, {}], [-25, { mouthSmile: 0.9 }], [0, {}], [-25, { jawOpen: 0.6 }]] as const) {
      const pose = poseForView(plain, { yaw }, expression);
      const picture = await drawn.renderFloat(pose, camera);
      const figures = await checkerFigures(drawn, plain, points, pose, camera, picture);
      expect(figures.seen).toBeGreaterThanOrEqual(yaw === 0 ? 6 : 12);
      expect(figures.gap).toBeGreaterThan(0.4); // of 0.84 between the picture's own light and dark
      const bleeding = await bleedingFigures(drawn, edited, pose, camera, {
        edited: picture,
        repainted: await repainted.renderFloat(pose, camera),
        unedited: await before.renderFloat(pose, camera),
      });
      expect(bleeding.ofPaint).toBeLessThan(0.02);
      expect(bleeding.meanOutside).toBeLessThan(0.01);
      expect(await driftFigure(drawn, plain, edited, poseForView(plain, { yaw }), pose)).toBeLessThan(0.0015);
    } // prettier-ignore
    for (const renderer of [drawn, repainted, before]) renderer.dispose();
  });
  it('shows paint of another program as sharply where it is sharp, and needs nothing finer where it is soft', async () => {
    const gpu = await testGpu();
    const layer = sticker({ image: 'checker', size: 0.04 });
    // The checkerboard as an artist would paint it on the atlas, at four times the maps' size.
    const fine = surfaceTexels(surface, 1024, { gutter: 1 });
    const coarse = { surface, maps: baked.maps, images, texels, below: new Float32Array(texels.count * 3) };
    const { color, alpha } = layerPainter(layer, coarse).paint(fine, new Float32Array(fine.count * 3));
    const data = new Uint8Array(1024 * 1024 * 4);
    fine.indices.forEach((texel, index) => {
      for (let k = 0; k < 4; k++)
        data[texel * 4 + k] = Math.round(255 * (k === 3 ? alpha[index] : color[index * 3 + k]));
    });
    images.set('painted', { width: 1024, height: 1024, channels: 4, data });
    const painted: Layer = { ...LAYER_DEFAULTS, name: 'paint', kind: 'paint', image: 'painted' };
    const edited = editAvatar(baked, [painted], images);
    const plain = bakedGaussians(baked);
    const points = squareMiddles(surface, edited, layer, 4);
    expect(points.length).toBe(16);
    const camera = centredCamera(baked.avatar.camera, 256);
    const pose = poseForView(plain, { yaw: -25 }, { jawOpen: 0.6 });
    const drawn = await AvatarRenderer.create(gpu, edited.avatar);
    const figures = await checkerFigures(drawn, plain, points, pose, camera, await drawn.renderFloat(pose, camera));
    drawn.dispose();
    expect(figures.seen).toBeGreaterThanOrEqual(12);
    expect(figures.gap).toBeGreaterThan(0.4);

    const blush = { width: 1024, height: 1024, channels: 4, data: new Uint8Array(1024 * 1024 * 4) } as const;
    const [u, v] = namedPlace(baked.avatar, 'left-cheek').map((value) => value * 1024);
    for (let pixel = 0; pixel < 1024 * 1024; pixel++) {
      const distance = Math.hypot((pixel % 1024) + 0.5 - u, Math.floor(pixel / 1024) + 0.5 - v);
      blush.data.set([220, 60, 60, 200 * Math.exp(-((distance / 60) ** 2))], pixel * 4);
    }
    images.set('blush', blush);
    const soft = editAvatar(baked, [{ ...painted, image: 'blush' }], images);
    expect(soft.flattened.patch).toBeNull();
    expect(soft.flattened.coarseMaps.colorMap).not.toEqual(baked.maps.colorMap);
  });
});
