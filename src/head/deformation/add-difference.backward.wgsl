// Adds ∂loss/∂vertexDifference (of the regularisers) to ∂loss/∂blended vertex, after the pose's gradient has been taken:
// a penalty on the deltas must not pull the tracked coefficients to rest. What nothing is bound to has no other gradient.

override vertexCount: u32;
override usedCount: u32;

@group(0) @binding(0) var<storage, read> blockTable: array<u32>; // blend-blocks.wgsl
@group(0) @binding(1) var<storage, read> differenceGradient: array<vec4f>; // V
@group(0) @binding(2) var<storage, read_write> blendedGradient: array<vec4f>; // V

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= vertexCount) {
    return;
  }
  let vertex = blockTable[id.x];
  var sum = differenceGradient[vertex];
  if (id.x < usedCount) {
    sum += blendedGradient[vertex];
  }
  blendedGradient[vertex] = sum;
}
