// ∂loss/∂maps from ∂loss/∂(what each Gaussian read): every texel sums over the Gaussians that read it, in the order of
// a list made once, since the Gaussians do not move. No atomics: the same gradients give the same bytes.
//
// One invocation per texel. starts: texels + 1; reads: (Gaussian, bits of its weight) of all texels, texel by texel.
// mapGradient: 11×size², channel-planar, overwritten (0 where nothing reads).

override texelCount = 0u;

@group(0) @binding(0) var<storage, read> starts: array<u32>;
@group(0) @binding(1) var<storage, read> reads: array<vec2u>;
@group(0) @binding(2) var<storage, read> sampleGradient: array<MapSample>;
@group(0) @binding(3) var<storage, read_write> mapGradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let texel = id.x;
  if (texel >= texelCount) { return; }
  var sum: MapSample;
  for (var index = starts[texel]; index < starts[texel + 1u]; index++) {
    let entry = reads[index];
    let weight = bitcast<f32>(entry.y);
    let gradient = sampleGradient[entry.x];
    sum.a += weight * gradient.a;
    sum.b += weight * gradient.b;
    sum.c += weight * gradient.c;
  }
  for (var channel = 0u; channel < 4u; channel++) {
    mapGradient[channel * texelCount + texel] = sum.a[channel];
    mapGradient[(channel + 4u) * texelCount + texel] = sum.b[channel];
    if (channel < 3u) { mapGradient[(channel + 8u) * texelCount + texel] = sum.c[channel]; }
  }
}
