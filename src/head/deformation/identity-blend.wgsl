// identity vertex = template + Σ_i basis_i · coefficient_i. One invocation per vertex.

override vertexCount: u32;
override coefficientCount: u32;

@group(0) @binding(0) var<storage, read> templateVertices: array<vec4f>; // V, metres
@group(0) @binding(1) var<storage, read> basis: array<f32>; // I×V×3, metres per unit coefficient
@group(0) @binding(2) var<storage, read> coefficients: array<f32>; // I
@group(0) @binding(3) var<storage, read_write> identityVertices: array<vec4f>; // V, metres

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let vertex = id.x;
  if (vertex >= vertexCount) {
    return;
  }
  var sum = templateVertices[vertex].xyz;
  for (var i = 0u; i < coefficientCount; i++) {
    let at = (i * vertexCount + vertex) * 3u;
    sum += coefficients[i] * vec3f(basis[at], basis[at + 1u], basis[at + 2u]);
  }
  identityVertices[vertex] = vec4f(sum, 0.0);
}
