// Reads the attribute maps at every Gaussian's place (bilinear, eq 9 with ℬ) and writes its local attributes:
// logScale, opacityLogit and normalOffset as read; color = (rgb − 0.5) / SH_C0; localRotation = the unit quaternion of
// the axis-angle r: (cos a/2, r · sin(a/2)/a), a = |r|.
//
// One invocation per Gaussian. maps: 11×size² float32, channel-planar. texels, weights: the four texels around the
// Gaussian's place and their bilinear weights. samples: what was read, kept for the backward pass.
// Guard: below a² = 0.04, sin(a/2)/a comes from its series (error < 1e-9).

override gaussianCount = 0u;
override texelCount = 0u;
override withGeometry = true;

@group(0) @binding(0) var<storage, read> texels: array<vec4u>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> maps: array<f32>;
@group(0) @binding(3) var<storage, read_write> samples: array<MapSample>;
@group(0) @binding(4) var<storage, read_write> localRotation: array<vec4f>; // wxyz
@group(0) @binding(5) var<storage, read_write> logScale: array<f32>;
@group(0) @binding(6) var<storage, read_write> opacityLogit: array<f32>;
@group(0) @binding(7) var<storage, read_write> color: array<f32>;
@group(0) @binding(8) var<storage, read_write> normalOffset: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let gaussian = id.x;
  if (gaussian >= gaussianCount) { return; }
  let texel = texels[gaussian];
  let weight = weights[gaussian];
  var sample: MapSample;
  sample.a = vec4f(readMap(0u, texel, weight), readMap(1u, texel, weight), readMap(2u, texel, weight), readMap(3u, texel, weight));
  sample.b = vec4f(readMap(4u, texel, weight), readMap(5u, texel, weight), readMap(6u, texel, weight), readMap(7u, texel, weight));
  sample.c = vec4f(readMap(8u, texel, weight), readMap(9u, texel, weight), readMap(10u, texel, weight), 0.0);
  samples[gaussian] = sample;
  color[gaussian * 3u] = (sample.b.z - 0.5) / SH_C0;
  color[gaussian * 3u + 1u] = (sample.b.w - 0.5) / SH_C0;
  color[gaussian * 3u + 2u] = (sample.c.x - 0.5) / SH_C0;
  opacityLogit[gaussian] = sample.c.y;
  if (!withGeometry) { return; }
  logScale[gaussian * 3u] = sample.a.x;
  logScale[gaussian * 3u + 1u] = sample.a.y;
  logScale[gaussian * 3u + 2u] = sample.a.z;
  normalOffset[gaussian] = sample.c.z;
  localRotation[gaussian] = quaternion(vec3f(sample.a.w, sample.b.xy));
}

fn readMap(channel: u32, texel: vec4u, weight: vec4f) -> f32 {
  let base = channel * texelCount;
  return dot(weight, vec4f(maps[base + texel.x], maps[base + texel.y], maps[base + texel.z], maps[base + texel.w]));
}

fn quaternion(r: vec3f) -> vec4f {
  let squared = dot(r, r);
  let angle = sqrt(squared);
  var factor = 0.5 - squared / 48.0 + squared * squared / 3840.0;
  if (squared > 0.04) { factor = sin(0.5 * angle) / angle; }
  return vec4f(cos(0.5 * angle), factor * r);
}
