import type { BlendSupport } from './blend-support.ts';
import { orderVertices } from './vertex-order.ts';

/** Lanes that walk a block together, and vertices that each of them works on at once; as in blend-blocks.wgsl. */
export const BLOCK_LANES = 8;
const BLOCK_TURNS = 4;
/** Vertices of a block. */
export const BLOCK_SIZE = BLOCK_LANES * BLOCK_TURNS;

/**
 * How the sparse basis lies in memory. Vertices that move with nearly the same coefficients form blocks of 32; a block has
 * a list of the coefficients that move any of them, and per item of the list one *record* (three floats) for each of the
 * 32: the entry's, or zeros where the vertex has no such entry. So kernels stream through memory, walk one list for
 * several vertices, and need no index per entry. ICT-FaceKit: a tenth of the records are fillers.
 *
 * Four records that a lane loads together follow each other: item by item, lane by lane, turn by turn. In memory their
 * floats lie by axis: x of all four, y of all four, z of all four.
 */
export interface BlendBlocks {
  readonly blockCount: number;
  /** Blocks that hold the used vertices; they come first. */
  readonly usedBlockCount: number;
  /** Records in all: 32 per item of the lists. */
  readonly recordCount: number;
  /** Used vertices: the first places. */
  readonly usedCount: number;
  /**
   * V vertices by place, block b's from 32b on; blockCount + 1 starts of the lists; a coefficient per item, ascending
   * within a block.
   */
  readonly table: Uint32Array;
  /** M: the record of each entry of the support. */
  readonly records: Uint32Array;
}

/** Blocks of a support; `used` (V, not 0 for vertices that anything is bound to; default all) come first. */
export function blendBlocks(support: BlendSupport, used?: ArrayLike<number>): BlendBlocks {
  const { starts, coefficients } = support;
  const vertexCount = starts.length - 1;
  const usedCount = used ? Array.from(used).filter((value) => value !== 0).length : vertexCount;
  const vertices = orderedVertices(support, usedCount, used);
  const blockCount = Math.ceil(vertexCount / BLOCK_SIZE);
  const listStarts = [0];
  const items: number[] = [];
  const records = new Uint32Array(support.entryCount);
  for (let block = 0; block < blockCount; block++) {
    const members = vertices.subarray(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE);
    const list = new Set<number>();
    for (const vertex of members)
      for (let entry = starts[vertex]; entry < starts[vertex + 1]; entry++) list.add(coefficients[entry]);
    const sorted = [...list].sort((a, b) => a - b);
    const itemOf = new Map(sorted.map((coefficient, item) => [coefficient, items.length + item]));
    members.forEach((vertex, place) => {
      for (let entry = starts[vertex]; entry < starts[vertex + 1]; entry++)
        records[entry] = itemOf.get(coefficients[entry])! * BLOCK_SIZE + recordInItem(place);
    });
    for (const coefficient of sorted) items.push(coefficient);
    listStarts.push(items.length);
  }
  return {
    blockCount,
    usedBlockCount: Math.ceil(usedCount / BLOCK_SIZE),
    recordCount: items.length * BLOCK_SIZE,
    usedCount,
    table: Uint32Array.from([...vertices, ...listStarts, ...items]),
    records,
  };
}

/** Vertices by place: blocks of the used ones first. */
function orderedVertices(support: BlendSupport, usedCount: number, used?: ArrayLike<number>): Uint32Array {
  const vertices = orderVertices(support, BLOCK_SIZE, (vertex) => !used || used[vertex] !== 0);
  // The block on the border, and a last one that is not full, stay where they are.
  spreadBlocks(vertices.subarray(0, usedCount - (usedCount % BLOCK_SIZE)));
  const rest = vertices.subarray(Math.ceil(usedCount / BLOCK_SIZE) * BLOCK_SIZE);
  spreadBlocks(rest.subarray(0, rest.length - (rest.length % BLOCK_SIZE)));
  return vertices;
}

/** Stretches of blocks that shall hold about as much work each: no core gets more of it for up to so many cores. */
const STRETCHES = 8;

/**
 * Deals whole blocks out to the stretches in turn, in place. As ordered, blocks with long lists come first; a software
 * driver gives each core one stretch of a dispatch's workgroups, and one of two cores had 73 % of ICT-FaceKit's lists.
 */
function spreadBlocks(vertices: Uint32Array): void {
  const sorted = vertices.slice();
  const count = vertices.length / BLOCK_SIZE;
  let place = 0;
  for (let stretch = 0; stretch < STRETCHES; stretch++)
    for (let block = stretch; block < count; block += STRETCHES, place += BLOCK_SIZE)
      vertices.set(sorted.subarray(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE), place);
}

/** Lane by lane, turn by turn; vertices lie turn by turn, so that neighbouring lanes have neighbouring vertices. */
export function recordInItem(place: number): number {
  return (place % BLOCK_LANES) * BLOCK_TURNS + Math.floor(place / BLOCK_LANES);
}

/** Where float `axis` of a record of `stride` floats is. */
function floatOf(record: number, stride: number, axis: number): number {
  return (Math.floor(record / BLOCK_TURNS) * stride + axis) * BLOCK_TURNS + (record % BLOCK_TURNS);
}

/** Values by entry (M × stride) to values by record, with zeros in between. */
export function toRecords(
  { records, recordCount }: BlendBlocks,
  values: ArrayLike<number>,
  stride: number,
): Float32Array {
  const result = new Float32Array(recordCount * stride);
  records.forEach((record, entry) => {
    for (let i = 0; i < stride; i++) result[floatOf(record, stride, i)] = values[entry * stride + i];
  });
  return result;
}

/** Values by record to values by entry (M × stride). */
export function fromRecords({ records }: BlendBlocks, values: ArrayLike<number>, stride: number): Float32Array {
  const result = new Float32Array(records.length * stride);
  records.forEach((record, entry) => {
    for (let i = 0; i < stride; i++) result[entry * stride + i] = values[floatOf(record, stride, i)];
  });
  return result;
}
