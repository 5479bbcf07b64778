import type { Commands } from './commands.ts';
import type { Gpu } from './gpu.ts';
import { createStorageBuffer, Ownership } from './buffer.ts';
import { createKernel } from './kernel.ts';
import { createScan } from './scan.ts';
import text from './sort.wgsl?raw';

export interface SortOptions {
  /** Most pairs ever sorted. */
  readonly capacity: number;
  /** uint32 in element 0: how many pairs to sort. */
  readonly count: GPUBuffer;
  /** Significant low bits of the keys, 1–32; the bits above must be equal in all keys. Default 32. */
  readonly bits?: number;
  readonly label?: string;
}

/** A stable, deterministic sort of (uint32 key, uint32 value) pairs by key. */
export interface Sort {
  /** Write the keys and values here; their content is lost by the sort. */
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  /** Where `record` leaves the result. */
  readonly sortedKeys: GPUBuffer;
  readonly sortedValues: GPUBuffer;
  record(commands: Commands): void;
  destroy(): void;
}

/** Widest digit of one pass: 512 counters per chunk stay in a processor's first-level cache. */
const DIGIT_BITS = 9;

export async function createSort(gpu: Gpu, { capacity, count, bits = 32, label = 'sort' }: SortOptions): Promise<Sort> {
  if (!(bits >= 1 && bits <= 32)) throw new RangeError(`bits is ${bits}; give the keys' significant bits, 1 to 32`);
  const owned = new Ownership();
  const chunkCount = gpu.adapter.isSoftware ? 64 : 1024;
  // Sixteen chunks' counters fill a cache line, so two cores never write to the same one.
  const chunksPerWorkgroup = gpu.adapter.isSoftware ? 16 : 64;
  const passCount = Math.ceil(bits / DIGIT_BITS);
  const digitBits = Math.ceil(bits / passCount);
  const counterCount = chunkCount * 2 ** digitBits;
  const buffer = (name: string, elements: number): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, `${label}: ${name}`, elements * 4));
  const pairs = [0, 1].map((side) => ({
    keys: buffer(`keys ${side}`, capacity),
    values: buffer(`values ${side}`, capacity),
  }));
  const counters = buffer('counters', counterCount + 1);
  const counterTotal = owned.own(
    createStorageBuffer(gpu, `${label}: number of counters`, new Uint32Array([counterCount])),
  );
  const scan = owned.own((await createScan(gpu, label)).over(counters, counterTotal));
  const passes = await Promise.all(
    Array.from({ length: passCount }, async (_, pass) => {
      const [from, to] = [pairs[pass % 2]!, pairs[(pass + 1) % 2]!];
      const shift = pass * digitBits;
      const common = {
        files: [
          { name: 'gpu/sort.ts', text: `const chunksPerWorkgroup = ${chunksPerWorkgroup}u;` },
          { name: 'gpu/sort.wgsl', text },
        ],
        constants: { chunkCount, shift, digitMask: 2 ** Math.min(digitBits, bits - shift) - 1 },
      };
      const histogram = await createKernel(gpu, {
        ...common,
        label: `${label}: histogram ${pass}`,
        entryPoint: 'histogram',
        bindings: { count: 'read', keys: 'read', counters: 'readWrite' },
      });
      const scatter = await createKernel(gpu, {
        ...common,
        label: `${label}: scatter ${pass}`,
        entryPoint: 'scatter',
        bindings: {
          count: 'read',
          keys: 'read',
          counters: 'readWrite',
          values: 'read',
          sortedKeys: 'readWrite',
          sortedValues: 'readWrite',
        },
      });
      const histogramGroup = histogram.bind({ count, keys: from.keys, counters });
      const scatterGroup = scatter.bind({
        count,
        keys: from.keys,
        counters,
        values: from.values,
        sortedKeys: to.keys,
        sortedValues: to.values,
      });
      return (pass: GPUComputePassEncoder): void => {
        histogram.dispatch(pass, histogramGroup, chunkCount / chunksPerWorkgroup);
        scan.record(pass);
        scatter.dispatch(pass, scatterGroup, chunkCount / chunksPerWorkgroup);
      };
    }),
  );
  const result = pairs[passCount % 2]!;
  return {
    ...pairs[0]!,
    sortedKeys: result.keys,
    sortedValues: result.values,
    record(commands) {
      for (const record of passes) {
        commands.clear(counters);
        commands.pass(label, record);
      }
    },
    destroy: () => owned.destroy(),
  };
}
