import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats, readUints } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { placeReference } from '../../binding/placement.reference.ts';
import { createDensify, type Column } from './densify.ts';
import { singlePatches, type SurfacePatches } from './patches.ts';

const CAPACITY = 300;

/** Two triangles with a common edge and different frames: one lies, the other stands. */
const TRIANGLES = Uint32Array.of(0, 1, 2, 2, 1, 3);
const VERTICES = Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0.5, 0);

const EVENT = { seed: 1, stream: 1, scaleFactor: 0.75, opacity: 0.1 };

interface SetOptions {
  readonly opacityLogit: number[];
  readonly importance: number[];
  readonly logScale?: number[];
  readonly patches?: SurfacePatches;
}

async function makeSet(gpu: Gpu, options: SetOptions) {
  const count = options.opacityLogit.length;
  const padded = (values: number[], stride: number): Float32Array => {
    const array = new Float32Array(CAPACITY * stride);
    array.set(values);
    return array;
  };
  const buffers = {
    count: createStorageBuffer(gpu, 'count', new Uint32Array([count])),
    opacityLogit: createStorageBuffer(gpu, 'opacity', padded(options.opacityLogit, 1)),
    logScale: createStorageBuffer(gpu, 'scale', padded(options.logScale ?? new Array<number>(count * 3).fill(-5), 3)),
    barycentrics: createStorageBuffer(
      gpu,
      'barycentrics',
      padded(
        new Array<number>(count).fill(0).flatMap(() => [1, 0, 0]),
        3,
      ),
    ),
    triangleIndices: createStorageBuffer(gpu, 'triangle indices', new Uint32Array(CAPACITY)),
    localRotation: createStorageBuffer(
      gpu,
      'rotation',
      padded(
        new Array<number>(count).fill(0).flatMap(() => [0.5, 0.5, -0.5, 0.5]),
        4,
      ),
    ),
    importance: createStorageBuffer(gpu, 'importance', padded(options.importance, 1)),
    visits: createStorageBuffer(gpu, 'visits', padded(new Array<number>(count).fill(1), 1)),
    names: createStorageBuffer(
      gpu,
      'names',
      Uint32Array.from({ length: CAPACITY }, (_, index) => index),
    ),
    moments: createStorageBuffer(gpu, 'moments', padded(new Array<number>(count * 2).fill(7), 2)),
  };
  const columns: Column[] = [
    { name: 'opacityLogit', buffer: buffers.opacityLogit, stride: 1, inherit: 'fade' },
    { name: 'logScale', buffer: buffers.logScale, stride: 3, inherit: 'shrink' },
    { name: 'barycentrics', buffer: buffers.barycentrics, stride: 3, inherit: 'copy' },
    { name: 'triangleIndices', buffer: buffers.triangleIndices, stride: 1, inherit: 'copy' },
    { name: 'localRotation', buffer: buffers.localRotation, stride: 4, inherit: 'copy' },
    { name: 'importance', buffer: buffers.importance, stride: 1, inherit: 'zero' },
    { name: 'visits', buffer: buffers.visits, stride: 1, inherit: 'zero' },
    { name: 'names', buffer: buffers.names, stride: 1, inherit: 'copy' },
    { name: 'moments', buffer: buffers.moments, stride: 2, inherit: 'zero' },
  ];
  const surface = {
    triangles: TRIANGLES,
    patches: options.patches ?? singlePatches(2),
    posedVertices: createStorageBuffer(gpu, 'vertices', VERTICES),
  };
  const densify = await createDensify(gpu, { capacity: CAPACITY, ...buffers, surface, columns });
  const run = async (record: (commands: Commands) => void): Promise<number> => {
    const commands = new Commands(gpu);
    record(commands);
    commands.submit();
    return (await readUints(gpu, buffers.count, 1))[0]!;
  };
  return { ...buffers, densify, run };
}

describe('densify', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await testGpu();
  });

  it('draws parents in proportion to their importance', async () => {
    const set = await makeSet(gpu, {
      opacityLogit: new Array<number>(40).fill(0),
      importance: Array.from({ length: 40 }, (_, i) => (i === 7 ? 3 : i === 30 ? 1 : 0)),
    });
    expect(await set.run((commands) => set.densify.sample(commands, { ...EVENT, seed: 5, draws: 200 }))).toBe(240);
    const parents = (await readUints(gpu, set.names)).subarray(40, 240);
    const drawnFrom7 = parents.filter((parent) => parent === 7).length;
    expect(parents.every((parent) => parent === 7 || parent === 30)).toBe(true);
    expect(drawnFrom7).toBeGreaterThan(130); // expected 150, deviation 6
    expect(drawnFrom7).toBeLessThan(170);
  });

  it('gives children fresh places, a smaller scale, a low opacity, zero moments; statistics start again', async () => {
    const set = await makeSet(gpu, { opacityLogit: [1, -4], importance: [1, 1] });
    await set.run((commands) => set.densify.sample(commands, { ...EVENT, seed: 5, draws: 10 }));
    const barycentrics = await readFloats(gpu, set.barycentrics);
    const logScale = await readFloats(gpu, set.logScale);
    const moments = await readFloats(gpu, set.moments);
    const logits = await readFloats(gpu, set.opacityLogit);
    const names = await readUints(gpu, set.names);
    for (let child = 2; child < 12; child++) {
      const weights = barycentrics.subarray(child * 3, child * 3 + 3);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
      expect(Math.min(...weights)).toBeGreaterThan(0);
      expect(Math.max(...weights)).toBeLessThan(1);
      expect(logScale[child * 3]).toBeCloseTo(-5 + Math.log(0.75), 5);
      expect(moments[child * 2]).toBe(0);
      const parentLogit = [1, -4][names[child]!]!;
      expect(logits[child]).toBeCloseTo(Math.min(parentLogit, Math.log(0.1 / 0.9)), 5);
    }
    expect(new Set(names.subarray(2, 12)).size).toBe(2);
    expect([...logits.subarray(0, 2)]).toEqual([1, -4]);
    expect([...moments.subarray(0, 4)]).toEqual([7, 7, 7, 7]);
    expect((await readFloats(gpu, set.importance)).every((value) => value === 0)).toBe(true);
  });

  it('spreads children over the patch by area, in the direction of their parent', async () => {
    // Three quarters of the patch lie in the parent's triangle.
    const patches = {
      starts: Uint32Array.of(0, 2, 3),
      members: Uint32Array.of(0, 1, 1),
      shares: Float32Array.of(0.75, 1, 1),
    };
    const set = await makeSet(gpu, { opacityLogit: [1], importance: [1], patches });
    await set.run((commands) => set.densify.sample(commands, { ...EVENT, draws: 200 }));
    const triangles = (await readUints(gpu, set.triangleIndices)).subarray(1, 201);
    const beside = triangles.filter((triangle) => triangle === 1).length;
    expect(beside).toBeGreaterThan(30); // expected 50, deviation 6
    expect(beside).toBeLessThan(70);
    const placed = placeReference(
      { triangles: TRIANGLES, triangleIndices: Uint32Array.of(0, ...triangles), barycentrics: await readFloats(gpu, set.barycentrics), canonicalSizes: [1, 1] },
      {
        posedVertices: Float64Array.from(VERTICES.filter((_, at) => at % 4 !== 3)),
        localRotation: Float64Array.from(await readFloats(gpu, set.localRotation)),
        logScale: Float64Array.from(await readFloats(gpu, set.logScale)),
        opacityLogit: Float64Array.from(await readFloats(gpu, set.opacityLogit)),
        color: new Float64Array(201 * 3),
        normalOffset: new Float64Array(201),
      },
    ); // prettier-ignore
    triangles.forEach((triangle, child) => {
      const cosine = [0, 1, 2, 3].reduce(
        (sum, k) => sum + placed.rotation[k]! * placed.rotation[child * 4 + 4 + k]!,
        0,
      );
      expect(Math.abs(cosine), `of a child on triangle ${triangle}`).toBeCloseTo(1, 5);
    });
  });

  it('keeps the children of the 3DGS rule with `nearness` in the triangle of their parent', async () => {
    const patches = { starts: Uint32Array.of(0, 1, 2), members: Uint32Array.of(1, 1), shares: Float32Array.of(1, 1) };
    for (const [nearness, triangle] of [
      [0.8, 0],
      [0, 1],
    ] as const) {
      const set = await makeSet(gpu, { opacityLogit: [1], importance: [5], patches });
      const event = { seed: 1, stream: 1, threshold: 1, splitScale: 1, nearness };
      expect(await set.run((commands) => set.densify.cloneAndSplit(commands, event))).toBe(2);
      expect((await readUints(gpu, set.triangleIndices))[1]).toBe(triangle);
      expect((await readFloats(gpu, set.opacityLogit))[1]).toBe(1);
    }
  });

  it('stops at the capacity and survives an empty set', async () => {
    const full = await makeSet(gpu, {
      opacityLogit: new Array<number>(290).fill(0),
      importance: new Array<number>(290).fill(1),
    });
    expect(await full.run((commands) => full.densify.sample(commands, { ...EVENT, draws: 50 }))).toBe(300);
    const empty = await makeSet(gpu, { opacityLogit: [-9], importance: [1] });
    expect(await empty.run((commands) => empty.densify.prune(commands, 0.005))).toBe(0);
    expect(await empty.run((commands) => empty.densify.prune(commands, 0.005))).toBe(0);
    expect(await empty.run((commands) => empty.densify.sample(commands, { ...EVENT, draws: 50 }))).toBe(0);
  });

  it('draws evenly when no gradient was seen, and ignores values that are not numbers', async () => {
    const set = await makeSet(gpu, {
      opacityLogit: new Array<number>(64).fill(0),
      importance: Array.from({ length: 64 }, (_, i) => (i === 3 ? Number.NaN : 0)),
    });
    await set.run((commands) => set.densify.sample(commands, { ...EVENT, seed: 2, stream: 9, draws: 200 }));
    const parents = (await readUints(gpu, set.names)).subarray(64, 264);
    expect(new Set(parents).size).toBeGreaterThan(45);
  });

  it('prunes transparent and non-finite Gaussians and keeps the order of the others', async () => {
    const logits = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? -7 : i === 100 ? Number.NaN : 1));
    const set = await makeSet(gpu, { opacityLogit: logits, importance: new Array<number>(200).fill(1) });
    const kept = logits.flatMap((value, index) => (value === 1 ? [index] : []));
    expect(await set.run((commands) => set.densify.prune(commands, 0.005))).toBe(kept.length);
    expect([...(await readUints(gpu, set.names)).subarray(0, kept.length)]).toEqual(kept);
  });

  it('clones small and splits large Gaussians over the gradient limit', async () => {
    const logScale = [-8, -8, -8, -2, -2, -2, -2, -2, -2];
    const set = await makeSet(gpu, { opacityLogit: [0, 0, 0], importance: [5, 5, 0.1], logScale });
    expect(
      await set.run((commands) =>
        set.densify.cloneAndSplit(commands, {
          seed: 1,
          stream: 1,
          threshold: 1,
          splitScale: Math.exp(-4),
          nearness: 0.9,
        }),
      ),
    ).toBe(5);
    const scales = await readFloats(gpu, set.logScale);
    expect(scales[0]).toBeCloseTo(-8, 5);
    expect(scales[3]).toBeCloseTo(-2 - Math.log(1.6), 5);
    expect(scales[6]).toBeCloseTo(-2, 5);
    expect(scales[9]).toBeCloseTo(-8, 5);
    expect(scales[12]).toBeCloseTo(-2 - Math.log(1.6), 5);
    expect([...(await readUints(gpu, set.names)).subarray(3, 5)]).toEqual([0, 1]);
  });

  it('splits none whose second half has no room', async () => {
    const count = 299;
    const set = await makeSet(gpu, {
      opacityLogit: new Array<number>(count).fill(0),
      importance: new Array<number>(count).fill(5),
      logScale: new Array<number>(count * 3).fill(-2),
    });
    expect(
      await set.run((commands) =>
        set.densify.cloneAndSplit(commands, {
          seed: 1,
          stream: 1,
          threshold: 1,
          splitScale: Math.exp(-4),
          nearness: 0,
        }),
      ),
    ).toBe(300);
    const scales = await readFloats(gpu, set.logScale);
    expect(scales[0]).toBeCloseTo(-2 - Math.log(1.6), 5);
    expect(scales[3]).toBe(-2);
    expect(scales[299 * 3]).toBeCloseTo(-2 - Math.log(1.6), 5);
  });

  it('caps opacity and clears its moments', async () => {
    const set = await makeSet(gpu, { opacityLogit: [-6, 3], importance: [0, 0] });
    await set.run((commands) => set.densify.resetOpacity(commands, 0.01, [set.moments]));
    const logits = await readFloats(gpu, set.opacityLogit);
    expect(logits[0]).toBe(-6);
    expect(logits[1]).toBeCloseTo(Math.log(0.01 / 0.99), 5);
    expect((await readFloats(gpu, set.moments)).every((value) => value === 0)).toBe(true);
  });
});
