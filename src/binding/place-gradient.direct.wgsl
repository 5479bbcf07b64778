// place.backward.wgsl's results to where they belong, on devices with 13 storage buffers per kernel.

@group(0) @binding(10) var<storage, read_write> placementGradient: array<vec4f>; // N×3: ∂loss/∂ corner
@group(0) @binding(11) var<storage, read_write> localRotationGradient: array<vec4f>; // N
@group(0) @binding(12) var<storage, read_write> logScaleGradient: array<f32>; // N×3
@group(0) @binding(13) var<storage, read_write> normalOffsetGradient: array<f32>; // N

fn writeGradients(i: u32, corners: array<vec3f, 3>, rotation: vec4f, logScale: vec3f, normalOffset: f32) {
  for (var corner = 0u; corner < 3u; corner++) {
    placementGradient[i * 3u + corner] = vec4f(corners[corner], 0.0);
    logScaleGradient[i * 3u + corner] = logScale[corner];
  }
  localRotationGradient[i] = rotation;
  normalOffsetGradient[i] = normalOffset;
}
