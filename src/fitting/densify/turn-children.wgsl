// A child on another triangle than its parent keeps the parent's direction in space: r = R_childᵀ · R_parent · r_parent,
// with both triangles' frames in the pose at hand.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> parents: array<u32>;
@group(0) @binding(2) var<storage, read> draws: array<u32>;
@group(0) @binding(3) var<storage, read> triangleIndices: array<u32>;
@group(0) @binding(4) var<storage, read> triangles: array<u32>;
@group(0) @binding(5) var<storage, read> posedVertices: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> localRotation: array<vec4f>;

fn vertexOf(triangle: u32, corner: u32) -> vec3f {
  return posedVertices[triangles[triangle * 3u + corner]].xyz;
}

fn rotationOf(triangle: u32) -> mat3x3f {
  let frame = triangleFrame(vertexOf(triangle, 0u), vertexOf(triangle, 1u), vertexOf(triangle, 2u));
  return mat3x3f(frame.tangent, frame.normal, frame.bitangent);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let child = count[0] + id.x;
  if (id.x >= draws[0] || child >= arrayLength(&localRotation)) { return; }
  let parent = parents[id.x];
  let own = triangleIndices[child];
  if (own == triangleIndices[parent]) { return; }
  let turn = quaternionFromMatrix(transpose(rotationOf(own)) * rotationOf(triangleIndices[parent]));
  localRotation[child] = multiplyQuaternions(turn, localRotation[parent]);
}
