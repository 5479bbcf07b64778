// ∂loss/∂ stored attributes: differentiates opacity and colour, and hands on what place.backward.wgsl left packed.
// One invocation per Gaussian; every gradient is overwritten.

override isPacked: bool;

const SH_C0 = 0.28209479177387814;

@group(0) @binding(0) var<uniform> count: vec4u;
@group(0) @binding(1) var<storage, read> placementGradient: array<vec4f>; // N×5 where packed
@group(0) @binding(2) var<storage, read> meanOpacityGradient: array<vec4f>; // N
@group(0) @binding(3) var<storage, read> rgbGradient: array<vec4f>; // N
@group(0) @binding(4) var<storage, read> opacityLogit: array<f32>; // N
@group(0) @binding(5) var<storage, read> color: array<f32>; // N×3
@group(0) @binding(6) var<storage, read_write> localRotationGradient: array<vec4f>; // N
@group(0) @binding(7) var<storage, read_write> logScaleGradient: array<f32>; // N×3
@group(0) @binding(8) var<storage, read_write> opacityLogitGradient: array<f32>; // N
@group(0) @binding(9) var<storage, read_write> colorGradient: array<f32>; // N×3
@group(0) @binding(10) var<storage, read_write> normalOffsetGradient: array<f32>; // N

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= count.x) {
    return;
  }
  if (isPacked) {
    let record = i * 5u;
    normalOffsetGradient[i] = placementGradient[record].w;
    logScaleGradient[i * 3u] = placementGradient[record + 1u].w;
    logScaleGradient[i * 3u + 1u] = placementGradient[record + 2u].w;
    logScaleGradient[i * 3u + 2u] = placementGradient[record + 4u].x;
    localRotationGradient[i] = placementGradient[record + 3u];
  }
  let opacity = sigmoid(opacityLogit[i]);
  opacityLogitGradient[i] = opacity * (1.0 - opacity) * meanOpacityGradient[i].w;
  let gradient = SH_C0 * rgbGradient[i].xyz;
  for (var channel = 0u; channel < 3u; channel++) {
    let isLit = 0.5 + SH_C0 * color[i * 3u + channel] > 0.0;
    colorGradient[i * 3u + channel] = select(0.0, gradient[channel], isLit);
  }
}
