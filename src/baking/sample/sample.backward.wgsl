// ∂loss/∂(what each Gaussian read) from ∂loss/∂(its local attributes), added to what stands there: frames that share
// the maps sum up here. See sample.wgsl. With f = sin(a/2)/a and h = (cos(a/2)/2 − f)/a²:
//
//   ∂loss/∂r = f · g_xyz + (h · (g_xyz · r) − f/2 · g_w) · r
//
// One invocation per Gaussian. sampleGradient: laid out like samples.
// Guards: below a² = 0.04, f and h come from their series. A gradient that is NaN, infinite or beyond 2⁶⁰ counts as 0:
// one Gaussian must not spoil every texel of the network.

override gaussianCount = 0u;
override withGeometry = true;

@group(0) @binding(0) var<storage, read> samples: array<MapSample>;
@group(0) @binding(1) var<storage, read> localRotationGradient: array<vec4f>; // wxyz
@group(0) @binding(2) var<storage, read> logScaleGradient: array<f32>;
@group(0) @binding(3) var<storage, read> opacityLogitGradient: array<f32>;
@group(0) @binding(4) var<storage, read> colorGradient: array<f32>;
@group(0) @binding(5) var<storage, read> normalOffsetGradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> sampleGradient: array<MapSample>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let gaussian = id.x;
  if (gaussian >= gaussianCount) { return; }
  let base = gaussian * 3u;
  var gradient: MapSample;
  gradient.b.z = usable(colorGradient[base]) / SH_C0;
  gradient.b.w = usable(colorGradient[base + 1u]) / SH_C0;
  gradient.c.x = usable(colorGradient[base + 2u]) / SH_C0;
  gradient.c.y = usable(opacityLogitGradient[gaussian]);
  if (withGeometry) {
    gradient.a.x = usable(logScaleGradient[base]);
    gradient.a.y = usable(logScaleGradient[base + 1u]);
    gradient.a.z = usable(logScaleGradient[base + 2u]);
    gradient.c.z = usable(normalOffsetGradient[gaussian]);
    let sample = samples[gaussian];
    let given = localRotationGradient[gaussian];
    let rotation = rotationGradient(
      vec3f(sample.a.w, sample.b.xy),
      vec4f(usable(given.x), usable(given.y), usable(given.z), usable(given.w)),
    );
    gradient.a.w = rotation.x;
    gradient.b.x = rotation.y;
    gradient.b.y = rotation.z;
  }
  let before = sampleGradient[gaussian];
  sampleGradient[gaussian] = MapSample(before.a + gradient.a, before.b + gradient.b, before.c + gradient.c);
}

fn rotationGradient(r: vec3f, given: vec4f) -> vec3f {
  let squared = dot(r, r);
  let angle = sqrt(squared);
  var f = 0.5 - squared / 48.0 + squared * squared / 3840.0;
  var h = -1.0 / 24.0 + squared / 960.0 - squared * squared / 107520.0;
  if (squared > 0.04) {
    f = sin(0.5 * angle) / angle;
    h = (0.5 * cos(0.5 * angle) - f) / squared;
  }
  return f * given.yzw + (h * dot(given.yzw, r) - 0.5 * f * given.x) * r;
}

// On the bits, since a compiler may assume that floats are not NaN.
fn usable(value: f32) -> f32 {
  return select(0.0, value, (bitcast<u32>(value) & 0x7fffffffu) <= 0x5d800000u);
}
