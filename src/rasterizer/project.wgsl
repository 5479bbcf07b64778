// World Gaussians to image-space Gaussians; one invocation per Gaussian. Culled ones touch no tile.
//
// In: world Gaussians (gaussians/layout.ts), camera. Out: `projected` records, depth keys with the Gaussian's index as
// value (for sorting), and in `slotOffsets` the number of tiles touched (summed up afterwards).
// Guards: a Gaussian with a number that is not finite, or whose box outgrows float32, is culled and touches nothing
// else; tested on bits, since a shader compiler may assume that NaN does not occur.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<uniform> camera: Camera;
@group(0) @binding(2) var<storage, read> meanOpacity: array<vec4f>;
@group(0) @binding(3) var<storage, read> rotation: array<vec4f>;
@group(0) @binding(4) var<storage, read> scale: array<vec4f>;
@group(0) @binding(5) var<storage, read> rgb: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> projected: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> depthKeys: array<u32>;
@group(0) @binding(8) var<storage, read_write> gaussianIndices: array<u32>;
@group(0) @binding(9) var<storage, read_write> slotOffsets: array<u32>;

fn isFinite(value: vec4f) -> bool {
  return all((bitcast<vec4u>(value) & vec4u(0x7f800000u)) != vec4u(0x7f800000u));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if (index >= min(count[0], gaussianCapacity)) {
    return;
  }
  gaussianIndices[index] = index;
  depthKeys[index] = depthKeyMax;
  slotOffsets[index] = 0u;

  let mean = meanOpacity[index];
  let quaternion = rotation[index];
  let deviation = vec4f(scale[index].xyz, 0.0);
  let color = vec4f(rgb[index].xyz, 0.0);
  if (!(isFinite(mean) && isFinite(quaternion) && isFinite(deviation) && isFinite(color))) {
    return;
  }
  let opacity = mean.w;
  let depth = cameraFromWorld(camera, mean.xyz).z;
  if (depth <= camera.near || opacity < alphaMin) {
    return;
  }
  let p = projectGaussian(camera, mean.xyz, rotationRows(quaternion), deviation.xyz);
  let mean2d = camera.focal * p.meanCamera.xy / depth + camera.principal;
  let conic = conicOf(p);
  let extent = max(0.0, 2.0 * log(opacity / alphaMin));
  let halfSize = sqrt(extent * extentSlack * p.covariance.xz);
  if (!(isFinite(vec4f(mean2d, halfSize)) && isFinite(vec4f(conic, extent)))) {
    return;
  }
  if (max(halfSize.x, halfSize.y) >= extentLimit || min(conic.x, conic.z) <= 0.0) {
    return;
  }
  let range = tileRangeOf(mean2d, halfSize);
  var tileCount = 0u;
  for (var y = range.begin.y; y < range.end.y; y++) {
    for (var x = range.begin.x; x < range.end.x; x++) {
      tileCount += select(0u, 1u, touchesTile(mean2d, conic, extent, vec2u(x, y)));
    }
  }
  slotOffsets[index] = tileCount;
  depthKeys[index] = min(bitcast<u32>(depth) - bitcast<u32>(camera.near), depthKeyMax);
  projected[index * 3u] = vec4f(mean2d, opacity, extent);
  projected[index * 3u + 1u] = vec4f(conic, halfSize.x);
  projected[index * 3u + 2u] = vec4f(color.xyz, halfSize.y);
}
