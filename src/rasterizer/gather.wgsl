// Sums the records of a Gaussian's intersections in the order of its slots (a fixed order: no atomics), one invocation
// per Gaussian, and turns the sums into gradients of its place on the image. Zeros where it touched nothing.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> slotOffsets: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read> intersectionGradients: array<f32>;
@group(0) @binding(4) var<storage, read> projected: array<vec4f>;
// ∂loss/∂mean2d.
@group(0) @binding(5) var<storage, read_write> mean2dGradient: array<vec2f>;
// ∂loss/∂covariance2d, the symmetric matrix's xx, xy, yy, and ∂loss/∂opacity.
@group(0) @binding(6) var<storage, read_write> covarianceOpacityGradient: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> rgbGradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if (index >= min(count[0], gaussianCapacity)) {
    return;
  }
  let own = slotsOf(index);
  var first = vec2f(0.0);
  var second = vec3f(0.0);
  var exponent = 0.0;
  var rgb = vec3f(0.0);
  for (var slot = own.x; slot < own.y; slot++) {
    // Slots left over belong to no tile (bin.wgsl).
    if (slots[slot] < tilesAcross * tilesDown) {
      let record = slot * momentStride;
      first += vec2f(intersectionGradients[record], intersectionGradients[record + 1u]);
      second += vec3f(
        intersectionGradients[record + 2u],
        intersectionGradients[record + 3u],
        intersectionGradients[record + 4u],
      );
      exponent += intersectionGradients[record + 5u];
      rgb += vec3f(
        intersectionGradients[record + 6u],
        intersectionGradients[record + 7u],
        intersectionGradients[record + 8u],
      );
    }
  }
  if (own.x == own.y) {
    mean2dGradient[index] = vec2f(0.0);
    covarianceOpacityGradient[index] = vec4f(0.0);
    rgbGradient[index] = vec4f(0.0);
    return;
  }
  // exponent = −½ dᵀ C d, so ∂/∂mean2d = C·Σ e·d and ∂/∂covariance = ½ C·(Σ e·d dᵀ)·C.
  let c = projected[index * 3u + 1u].xyz;
  let conic = mat2x2f(c.x, c.y, c.y, c.z);
  let covarianceGradient = 0.5 * conic * mat2x2f(second.x, second.y, second.y, second.z) * conic;
  mean2dGradient[index] = conic * first;
  covarianceOpacityGradient[index] = vec4f(
    covarianceGradient[0].x,
    0.5 * (covarianceGradient[0].y + covarianceGradient[1].x),
    covarianceGradient[1].y,
    exponent / projected[index * 3u].z,
  );
  rgbGradient[index] = vec4f(rgb, 0.0);
}
