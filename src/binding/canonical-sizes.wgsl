// Size of every triangle in the pose at hand, kept as the canonical size that k divides by. One invocation per triangle.

override triangleCount: u32;

@group(0) @binding(0) var<storage, read> posedVertices: array<vec4f>; // V, metres
@group(0) @binding(1) var<storage, read_write> triangles: array<vec4u>; // T: three vertices, size as float bits

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= triangleCount) {
    return;
  }
  let triangle = triangles[id.x];
  let frame = triangleFrame(posedVertices[triangle.x].xyz, posedVertices[triangle.y].xyz, posedVertices[triangle.z].xyz);
  triangles[id.x].w = bitcast<u32>(frame.size);
}
