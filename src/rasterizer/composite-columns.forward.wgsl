// Forward compositing, columns: front to back, image = Σ rgb·alpha·transmittance + background·transmittance left.
// One workgroup of eight per tile; see composite-columns.wgsl.

@group(0) @binding(0) var<uniform> camera: Camera;
@group(0) @binding(1) var<storage, read> counters: array<u32>;
@group(0) @binding(2) var<storage, read> intersections: array<vec2u>;
@group(0) @binding(3) var<storage, read> projected: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> image: array<vec4f>;

// Whether every pixel is opaque is asked once in so many Gaussians: asking costs as much as a few pixels.
const batchLength = 8u;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = workgroup.x;
  let list = listOf(tile);
  let origin = tileOrigin(tile);
  let column = origin.x + lane;
  let corner = vec2f(f32(column), f32(origin.y)) + 0.5;

  var transmittance: Column;
  var red: Column;
  var green: Column;
  var blue: Column;
  for (var r = 0u; r < tileHeight; r++) {
    transmittance[r] = startTransmittance(column, origin.y + r);
  }
  for (var batch = list.x; batch < list.y; batch += batchLength) {
    var most = 0.0;
    for (var r = 0u; r < tileHeight; r++) {
      most = max(most, transmittance[r]);
    }
    if (!subgroupAny(most >= transmittanceMin)) {
      break;
    }
    // Each lane fetches one Gaussian of the batch; then all take them in turn.
    let address = intersections[min(batch + lane, list.y - 1u)].x * 3u;
    let fetched = prepared(projected[address], projected[address + 1u].xyz, projected[address + 2u].xyz, batch + lane < list.y);
    // Two at a time: the pixel state is loaded, masked and stored once for both.
    for (var j = 0u; j < min(8u, list.y - batch); j += 2u) {
      let first = takenFromLane(fetched, j);
      let second = takenFromLane(fetched, j + 1u);
      let firstOpacities = opacitiesAlong(first, corner - first.place.xy);
      let secondOpacities = opacitiesAlong(second, corner - second.place.xy);
      for (var r = 0u; r < tileHeight; r++) {
        let firstWeight = weightOf(firstOpacities[r], transmittance[r]);
        let between = transmittance[r] - firstWeight;
        let secondWeight = weightOf(secondOpacities[r], between);
        transmittance[r] = between - secondWeight;
        red[r] += firstWeight * first.color.x + secondWeight * second.color.x;
        green[r] += firstWeight * first.color.y + secondWeight * second.color.y;
        blue[r] += firstWeight * first.color.z + secondWeight * second.color.z;
      }
    }
  }
  for (var r = 0u; r < tileHeight; r++) {
    let row = origin.y + r;
    if (column < imageWidth && row < imageHeight) {
      let rgb = vec3f(red[r], green[r], blue[r]) + transmittance[r] * camera.background;
      image[row * imageWidth + column] = vec4f(rgb, transmittance[r]);
    }
  }
}
