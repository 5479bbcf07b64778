// How kernels walk the blocks of blend-blocks.ts: eight lanes per block, four vertices per lane, so that what an item of
// the list needs is loaded once for four entries, and neighbouring lanes read neighbouring records. Lanes that belong
// together are eight in a row; a walker of eight takes `blocksPerWalker` blocks in order. On a software driver a
// workgroup is one walker with many blocks (threads cost, loads cost: about 20 cycles each on lavapipe); on a GPU a
// workgroup holds several walkers with one or a few.
//
// Places behind the last vertex repeat it: their records are fillers, and nothing may be written for them.
//
// The vectors of a lane's four vertices are the rows of a `mat3x4f`: x of all four, then y, then z. A buffer of records
// is an array of them, by item and lane, so that every load and every operation is one of four floats.

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

// Where an item's records for a lane's four vertices are.
fn recordsOf(item: u32, lane: u32) -> u32 {
  return item * BLOCK_LANES + lane;
}

fn placeOf(block: u32, lane: u32, turn: u32) -> u32 {
  return block * BLOCK_SIZE + turn * BLOCK_LANES + lane;
}

// `blockTable`: V vertices by place, blockCount + 1 starts of the lists, a coefficient per item.
fn vertexAt(place: u32) -> u32 {
  return blockTable[min(place, vertexCount - 1u)];
}

fn verticesOf(block: u32, lane: u32) -> vec4u {
  return vec4u(
    vertexAt(placeOf(block, lane, 0u)),
    vertexAt(placeOf(block, lane, 1u)),
    vertexAt(placeOf(block, lane, 2u)),
    vertexAt(placeOf(block, lane, 3u)),
  );
}

fn byAxis(first: vec3f, second: vec3f, third: vec3f, fourth: vec3f) -> mat3x4f {
  return transpose(mat4x3f(first, second, third, fourth));
}

// (first item, end) of a block's list.
fn itemsOf(block: u32) -> vec2u {
  return vec2u(blockTable[vertexCount + block], blockTable[vertexCount + block + 1u]);
}

fn coefficientOf(item: u32) -> u32 {
  return blockTable[vertexCount + blockCount + 1u + item];
}
