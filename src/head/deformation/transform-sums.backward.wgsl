// ∂loss/∂[R_j | o_j] = Σ_v w_vj · g_v·[e_vᵀ, 1], g the posed gradient and e the blended vertex: first half of the sum.
// Invocation (joint, part) adds up one range of vertices in order; the pose's backward adds the parts.

override vertexCount: u32;
override jointCount: u32;
override partCount: u32;

@group(0) @binding(0) var<storage, read> skinningWeights: array<f32>; // V×J
@group(0) @binding(1) var<storage, read> posedGradient: array<vec4f>; // V
@group(0) @binding(2) var<storage, read> blendedVertices: array<vec4f>; // V, metres
@group(0) @binding(3) var<storage, read_write> transformSums: array<vec4f>; // parts × J × 3 rows

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x / jointCount;
  let joint = id.x % jointCount;
  if (part >= partCount) {
    return;
  }
  let length = (vertexCount + partCount - 1u) / partCount;
  let end = min((part + 1u) * length, vertexCount);
  var x = vec4f();
  var y = vec4f();
  var z = vec4f();
  for (var vertex = part * length; vertex < end; vertex++) {
    let weight = skinningWeights[vertex * jointCount + joint];
    let gradient = weight * posedGradient[vertex].xyz;
    let point = vec4f(blendedVertices[vertex].xyz, 1.0);
    x += gradient.x * point;
    y += gradient.y * point;
    z += gradient.z * point;
  }
  transformSums[id.x * 3u] = x;
  transformSums[id.x * 3u + 1u] = y;
  transformSums[id.x * 3u + 2u] = z;
}
