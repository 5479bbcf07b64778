// From the network's raw channels to map units:
//
//   v = gain · raw + shift
//   map = limit − softplus(limit − v)     for the scale channels (FATE eq 24: shift is s_mean, limit s_max)
//   map = v                               for the others
//
// Thread mapping: an invocation takes `elementsPerInvocation` texels of one channel (workgroup y), one workgroup width
// apart. raw, maps: C×size² float32, channel-planar, channels in the order of MAP_CHANNELS.
// Guards: softplus(x) = max(x, 0) + log(1 + e^−|x|), which no x overflows.

override groupWidth = 64u;
override elementsPerInvocation = 4u;
override texelCount = 0u;

@group(0) @binding(0) var<storage, read> channels: array<vec4f>; // gain, shift, limit, 1 where the limit holds
@group(0) @binding(1) var<storage, read> raw: array<f32>;
@group(0) @binding(2) var<storage, read_write> maps: array<f32>;

@compute @workgroup_size(groupWidth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let channel = channels[group.y];
  let first = group.x * groupWidth * elementsPerInvocation + local.x;
  for (var turn = 0u; turn < elementsPerInvocation; turn++) {
    let texel = first + turn * groupWidth;
    if (texel >= texelCount) { return; }
    let element = group.y * texelCount + texel;
    let value = channel.x * raw[element] + channel.y;
    maps[element] = select(value, channel.z - softplus(channel.z - value), channel.w != 0.0);
  }
}

fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + log(1.0 + exp(-abs(x)));
}
