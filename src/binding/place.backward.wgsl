// Backward of place.wgsl for everything that depends on the triangle: ∂loss/∂ corners, local rotation, scale and offset.
// Where they go is the business of another file, place-gradient.direct.wgsl or place-gradient.packed.wgsl: 13 storage
// buffers are the short way, 10 all that every device has. One invocation per Gaussian.
//
// Rotation: q = q_frame ⊗ r. A world turn ω changes q by ½(0, ω) ⊗ q, so the torque is τ = ½·vec(q̇ ⊗ q*), q̇ = ∂loss/∂q.
// Moving the corners turns the frame (tangent t, normal n, bitangent b) by ω = t(b·δn) + b(n·δt) − n(b·δt).

@group(0) @binding(0) var<uniform> count: vec4u;
@group(0) @binding(1) var<storage, read> anchors: array<vec4u>;
@group(0) @binding(2) var<storage, read> triangles: array<vec4u>;
@group(0) @binding(3) var<storage, read> posedVertices: array<vec4f>;
@group(0) @binding(4) var<storage, read> localRotation: array<vec4f>;
@group(0) @binding(5) var<storage, read> logScale: array<f32>;
@group(0) @binding(6) var<storage, read> normalOffset: array<f32>;
@group(0) @binding(7) var<storage, read> meanOpacityGradient: array<vec4f>;
@group(0) @binding(8) var<storage, read> rotationGradient: array<vec4f>;
@group(0) @binding(9) var<storage, read> scaleGradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= count.x) {
    return;
  }
  let anchor = anchors[i];
  let triangle = triangles[anchor.x];
  let weights = bitcast<vec3f>(anchor.yzw);
  let frame = triangleFrame(posedVertices[triangle.x].xyz, posedVertices[triangle.y].xyz, posedVertices[triangle.z].xyz);
  let canonicalSize = bitcast<f32>(triangle.w);
  let growth = frame.size / canonicalSize;
  let mean = meanOpacityGradient[i].xyz;

  // Scale and offset.
  let bounded = boundedTanh(normalOffset[i]);
  let offset = NORMAL_OFFSET_LIMIT * bounded;
  let alongNormal = dot(mean, frame.normal);
  let extent = exp(vec3f(logScale[i * 3u], logScale[i * 3u + 1u], logScale[i * 3u + 2u]));
  let logScaleGradient = growth * extent * scaleGradient[i].xyz;
  let normalOffsetGradient = NORMAL_OFFSET_LIMIT * (1.0 - bounded * bounded) * growth * alongNormal;
  let sizeGradient = (dot(extent, scaleGradient[i].xyz) + offset * alongNormal) / canonicalSize;

  // Rotation.
  let stored = localRotation[i];
  let own = unitRotation(stored);
  let frameRotation = quaternionFromMatrix(mat3x3f(frame.tangent, frame.normal, frame.bitangent));
  let world = rotationGradient[i];
  let ownGradient = multiplyQuaternions(conjugateQuaternion(frameRotation), world);
  let squared = dot(stored, stored);
  let storedGradient = select(vec4f(), (ownGradient - dot(ownGradient, own) * own) * inverseSqrt(squared), squared > 1.0e-24);
  let worldRotation = multiplyQuaternions(frameRotation, own);
  let torque = 0.5 * multiplyQuaternions(world, conjugateQuaternion(worldRotation)).yzw;

  // To the corners.
  var edgeGradient = vec3f();
  var sideGradient = vec3f();
  if (!frame.isDegenerate) {
    let tangentGradient = dot(torque, frame.bitangent) * frame.normal - dot(torque, frame.normal) * frame.bitangent;
    let normalGradient = dot(torque, frame.tangent) * frame.bitangent + growth * offset * mean;
    // normal = product/|product|, height = |product|/edgeLength
    let productGradient = (normalGradient - dot(normalGradient, frame.normal) * frame.normal) / frame.doubleArea
      + 0.5 * sizeGradient / frame.edgeLength * frame.normal;
    let lengthGradient = 0.5 * sizeGradient * (1.0 - frame.doubleArea / (frame.edgeLength * frame.edgeLength));
    edgeGradient = tangentGradient / frame.edgeLength + lengthGradient * frame.tangent + cross(frame.side, productGradient);
    sideGradient = cross(productGradient, frame.edge);
  }
  let corners = array<vec3f, 3>(
    weights.x * mean - edgeGradient - sideGradient,
    weights.y * mean + edgeGradient,
    weights.z * mean + sideGradient,
  );
  writeGradients(i, corners, storedGradient, logScaleGradient, normalOffsetGradient);
}
