// FATE eqs 2–4: a Gaussian from its triangle to the world.
//   mean = Σ b_i·v_i + 0.05·tanh(d)·k·normal;  rotation = frame · r;  scale = k·exp(logScale);  k = size / canonical size
// One invocation per Gaussian. Colour comes along (place-color.together.wgsl) or has a kernel of its own
// (place-color.apart.wgsl): 10 storage buffers are all that every device has.

@group(0) @binding(0) var<uniform> count: vec4u; // x: Gaussians in use
@group(0) @binding(1) var<storage, read> anchors: array<vec4u>; // N: triangle, barycentrics as float bits
@group(0) @binding(2) var<storage, read> triangles: array<vec4u>; // T: three vertices, canonical size as float bits (metres)
@group(0) @binding(3) var<storage, read> posedVertices: array<vec4f>; // V, metres, world
@group(0) @binding(4) var<storage, read> localRotation: array<vec4f>; // N, wxyz
@group(0) @binding(5) var<storage, read> logScale: array<f32>; // N×3
@group(0) @binding(6) var<storage, read> opacityLogit: array<f32>; // N
@group(0) @binding(7) var<storage, read> normalOffset: array<f32>; // N, before tanh
@group(0) @binding(8) var<storage, read_write> meanOpacity: array<vec4f>; // N, metres world; opacity
@group(0) @binding(9) var<storage, read_write> rotation: array<vec4f>; // N, unit wxyz
@group(0) @binding(10) var<storage, read_write> scale: array<vec4f>; // N, metres; 0

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= count.x) {
    return;
  }
  let anchor = anchors[i];
  let triangle = triangles[anchor.x];
  let weights = bitcast<vec3f>(anchor.yzw);
  let v0 = posedVertices[triangle.x].xyz;
  let v1 = posedVertices[triangle.y].xyz;
  let v2 = posedVertices[triangle.z].xyz;
  let frame = triangleFrame(v0, v1, v2);
  let growth = frame.size / bitcast<f32>(triangle.w);
  let offset = NORMAL_OFFSET_LIMIT * boundedTanh(normalOffset[i]) * growth;
  let mean = weights.x * v0 + weights.y * v1 + weights.z * v2 + offset * frame.normal;
  meanOpacity[i] = vec4f(mean, sigmoid(opacityLogit[i]));
  let frameRotation = quaternionFromMatrix(mat3x3f(frame.tangent, frame.normal, frame.bitangent));
  rotation[i] = multiplyQuaternions(frameRotation, unitRotation(localRotation[i]));
  placeColor(i);
  scale[i] = vec4f(growth * exp(vec3f(logScale[i * 3u], logScale[i * 3u + 1u], logScale[i * 3u + 2u])), 0.0);
}
