// How vertices hang on joints, shared by the forward and backward kernels: lists of joints by block (skin-blocks.ts),
// which follow the blocks' own table, and `frameState`: three rows per joint, then the blend coefficients (layout.ts).

override skinBase: u32; // of the joints' lists in `blockTable`
override jointCount: u32;

// (first item, end) of a block's joints.
fn jointsOf(block: u32) -> vec2u {
  return vec2u(blockTable[skinBase + block], blockTable[skinBase + block + 1u]);
}

fn jointOf(item: u32) -> u32 {
  return blockTable[skinBase + blockCount + 1u + item];
}

fn transformRow(joint: u32, row: u32) -> vec4f {
  return frameState[joint * 3u + row];
}

fn coefficientValue(coefficient: u32) -> f32 {
  return frameState[jointCount * 3u + coefficient / 4u][coefficient % 4u];
}
