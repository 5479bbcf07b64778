// ∂loss/∂blended vertex = (Σ_j w_j R_j)ᵀ · ∂loss/∂posed vertex. It is also ∂loss/∂Δvertex, and times c_k it is
// ∂loss/∂D_k of every entry of the vertex. One invocation per vertex.

override vertexCount: u32;
override jointCount: u32;

@group(0) @binding(0) var<storage, read> frameState: array<f32>; // layout.ts
@group(0) @binding(1) var<storage, read> skinningWeights: array<f32>; // V×J
@group(0) @binding(2) var<storage, read> posedGradient: array<vec4f>; // V
@group(0) @binding(3) var<storage, read_write> blendedGradient: array<vec4f>; // V

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let vertex = id.x;
  if (vertex >= vertexCount) {
    return;
  }
  let rows = blendTransforms(vertex);
  let gradient = posedGradient[vertex];
  blendedGradient[vertex] = vec4f(gradient.x * rows[0].xyz + gradient.y * rows[1].xyz + gradient.z * rows[2].xyz, 0.0);
}
