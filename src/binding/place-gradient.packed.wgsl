// place.backward.wgsl's results in one record of five vec4 per Gaussian, on devices with 10 storage buffers per kernel;
// local.backward.wgsl hands them on:
//   0–2: ∂loss/∂ corner (xyz), and in w ∂loss/∂ normalOffset, logScale x, logScale y
//   3:   ∂loss/∂ localRotation
//   4:   x: ∂loss/∂ logScale z

@group(0) @binding(10) var<storage, read_write> placementGradient: array<vec4f>; // N×5

fn writeGradients(i: u32, corners: array<vec3f, 3>, rotation: vec4f, logScale: vec3f, normalOffset: f32) {
  let record = i * 5u;
  placementGradient[record] = vec4f(corners[0], normalOffset);
  placementGradient[record + 1u] = vec4f(corners[1], logScale.x);
  placementGradient[record + 2u] = vec4f(corners[2], logScale.y);
  placementGradient[record + 3u] = rotation;
  placementGradient[record + 4u] = vec4f(logScale.z, 0.0, 0.0, 0.0);
}
