// How kernels walk the blocks of blend-blocks.ts: eight lanes per block, four vertices per lane, so that what an item of
// the list needs is loaded once for four entries, and neighbouring lanes read neighbouring records. Lanes that belong
// together are eight in a row; a walker of eight takes `blocksPerWalker` blocks in order. On a software driver a
// workgroup is one walker with many blocks (threads cost, loads cost: about 20 cycles each on lavapipe); on a GPU a
// workgroup holds several walkers with one or a few.
//
// Places behind the last vertex repeat it: their records are fillers, and nothing may be written for them.

const BLOCK_LANES = 8u; // as in blend-blocks.ts
const BLOCK_TURNS = 4u;
const BLOCK_SIZE = BLOCK_LANES * BLOCK_TURNS;

override groupWidth = 8u;
override vertexCount: u32;
override blockCount: u32; // all of the head's
override walkedBlocks: u32; // of this kernel
override blocksPerWalker: u32;

// (first block, end) of an invocation's walker.
fn blocksOf(invocation: u32) -> vec2u {
  let first = (invocation / BLOCK_LANES) * blocksPerWalker;
  return vec2u(first, min(first + blocksPerWalker, walkedBlocks));
}

fn placeOf(block: u32, lane: u32, turn: u32) -> u32 {
  return block * BLOCK_SIZE + turn * BLOCK_LANES + lane;
}

// `blockTable`: V vertices by place, blockCount + 1 starts of the lists, a coefficient per item.
fn vertexAt(place: u32) -> u32 {
  return blockTable[min(place, vertexCount - 1u)];
}

// (first item, end) of a block's list.
fn itemsOf(block: u32) -> vec2u {
  return vec2u(blockTable[vertexCount + block], blockTable[vertexCount + block + 1u]);
}

fn coefficientOf(item: u32) -> u32 {
  return blockTable[vertexCount + blockCount + 1u + item];
}
