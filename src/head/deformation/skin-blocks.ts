import { BLOCK_SIZE, recordInItem, type BlendBlocks } from './blend-blocks.ts';

/**
 * Skinning weights, held as the basis is (blend-blocks.ts): a block has a list of the joints that hold any of its
 * vertices, and per item of the list a weight for each of the 32 records. Most blocks hang on two joints of five.
 */
export interface SkinBlocks {
  /** blockCount + 1 starts of the lists; a joint per item, ascending within a block. */
  readonly table: Uint32Array;
  /** 32 per item. */
  readonly weights: Float32Array;
}

/** Brings a head's weights (V×J) into the order of its blocks. */
export function skinBlocks({ blockCount, table }: BlendBlocks, weights: Float32Array, jointCount: number): SkinBlocks {
  const vertices = table.subarray(0, weights.length / jointCount);
  const starts = [0];
  const joints: number[] = [];
  const records: number[] = [];
  for (let block = 0; block < blockCount; block++) {
    const members = vertices.subarray(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE);
    for (let joint = 0; joint < jointCount; joint++) {
      const item = new Float32Array(BLOCK_SIZE);
      members.forEach((vertex, place) => (item[recordInItem(place)] = weights[vertex * jointCount + joint]));
      if (item.every((weight) => weight === 0)) continue;
      joints.push(joint);
      records.push(...item);
    }
    starts.push(joints.length);
  }
  return { table: Uint32Array.from([...starts, ...joints]), weights: Float32Array.from(records) };
}
