// ∂loss/∂raw from ∂loss/∂maps; see activate.wgsl. With x = limit − v, d map/d v = sigmoid(x).
//
// Thread mapping and layouts as in activate.wgsl.

override groupWidth = 64u;
override elementsPerInvocation = 4u;
override texelCount = 0u;

@group(0) @binding(0) var<storage, read> channels: array<vec4f>; // gain, shift, limit, 1 where the limit holds
@group(0) @binding(1) var<storage, read> raw: array<f32>;
@group(0) @binding(2) var<storage, read> mapGradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> rawGradient: array<f32>;

@compute @workgroup_size(groupWidth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let channel = channels[group.y];
  let first = group.x * groupWidth * elementsPerInvocation + local.x;
  for (var turn = 0u; turn < elementsPerInvocation; turn++) {
    let texel = first + turn * groupWidth;
    if (texel >= texelCount) { return; }
    let element = group.y * texelCount + texel;
    let slope = sigmoid(channel.z - channel.x * raw[element] - channel.y);
    rawGradient[element] = mapGradient[element] * channel.x * select(1.0, slope, channel.w != 0.0);
  }
}

// The exponent never grows: a far-off value gives 0 or 1, not NaN.
fn sigmoid(x: f32) -> f32 {
  let small = exp(-abs(x));
  return select(small, 1.0, x >= 0.0) / (1.0 + small);
}
