// Exposure of one frame, applied to what was rendered but not to the background behind it. With rendered colour x over
// background b, transmittance T, gain = exp(logGain) per channel:
//
//   exposed = gain · (x − T·b) + bias · (1 − T) + T·b
//
// `forward` writes the exposed image. `backward` turns ∂loss/∂exposed into ∂loss/∂rendered in place and leaves partial
// sums of ∂loss/∂(logGain, bias); `sumPartials` (one workgroup) adds them in a fixed order, and the pull to identity.
// A pixel that is not usable (beyond ±10⁴, NaN) passes through with no part in the sums.
//
// Invocation of forward and backward: `turns` pixels, one workgroup width apart.

override groupWidth = 64u;
override turns = 4u;

struct ExposureStep {
  background: vec3f,
  pixelCount: u32,
  record: u32, // frame
  partialCount: u32,
  restWeight: f32,
}

struct Exposure {
  gain: vec3f,
  bias: vec3f,
}

@group(0) @binding(0) var<uniform> step: ExposureStep;
@group(0) @binding(1) var<storage, read> parameters: array<f32>; // F×6: logGain, bias
@group(0) @binding(2) var<storage, read> image: array<vec4f>; // H×W: x, T
@group(0) @binding(3) var<storage, read_write> exposed: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> imageGradient: array<vec4f>; // by exposed → by image
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>; // P×2: by logGain, by bias
@group(0) @binding(6) var<storage, read_write> parameterGradient: array<f32>; // 6

fn parameterVector(offset: u32) -> vec3f {
  let base = step.record * 6u + offset;
  return vec3f(parameters[base], parameters[base + 1u], parameters[base + 2u]);
}

fn exposureOfFrame() -> Exposure {
  return Exposure(exp(parameterVector(0u)), parameterVector(3u));
}

// On the bits, since a compiler may assume that floats are not NaN.
fn isUsable(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) <= bitcast<u32>(1.0e4);
}

fn arePixelsUsable(pixel: vec4f) -> bool {
  return isUsable(pixel.x) && isUsable(pixel.y) && isUsable(pixel.z) && isUsable(pixel.w);
}

@compute @workgroup_size(groupWidth)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let exposure = exposureOfFrame();
  for (var turn = 0u; turn < turns; turn++) {
    let index = (group.x * turns + turn) * groupWidth + local.x;
    if (index >= step.pixelCount) { return; }
    let pixel = image[index];
    let behind = pixel.w * step.background;
    let result = exposure.gain * (pixel.xyz - behind) + exposure.bias * (1.0 - pixel.w) + behind;
    exposed[index] = select(pixel, vec4f(result, pixel.w), arePixelsUsable(pixel));
  }
}

@compute @workgroup_size(groupWidth)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(global_invocation_id) id: vec3u,
) {
  let exposure = exposureOfFrame();
  var byGain = vec3f(0.0);
  var byBias = vec3f(0.0);
  for (var turn = 0u; turn < turns; turn++) {
    let index = (group.x * turns + turn) * groupWidth + local.x;
    if (index >= step.pixelCount) { break; }
    let pixel = image[index];
    if (!arePixelsUsable(pixel)) { continue; }
    let given = imageGradient[index];
    byGain += given.xyz * (pixel.xyz - pixel.w * step.background);
    byBias += given.xyz * (1.0 - pixel.w);
    let byTransmittance = dot(given.xyz, step.background * (1.0 - exposure.gain) - exposure.bias);
    imageGradient[index] = vec4f(exposure.gain * given.xyz, given.w + byTransmittance);
  }
  partials[id.x * 2u] = vec4f(exposure.gain * byGain, 0.0);
  partials[id.x * 2u + 1u] = vec4f(byBias, 0.0);
}

var<workgroup> sums: array<array<vec3f, 2>, 64>;

@compute @workgroup_size(64)
fn sumPartials(@builtin(local_invocation_index) lane: u32) {
  var sum = array<vec3f, 2>();
  for (var index = lane; index < step.partialCount; index += 64u) {
    sum[0] += partials[index * 2u].xyz;
    sum[1] += partials[index * 2u + 1u].xyz;
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane >= 2u) { return; }
  var total = vec3f(0.0);
  for (var index = 0u; index < 64u; index++) { total += sums[index][lane]; }
  total += 2.0 * step.restWeight * parameterVector(lane * 3u);
  for (var channel = 0u; channel < 3u; channel++) { parameterGradient[lane * 3u + channel] = total[channel]; }
}
