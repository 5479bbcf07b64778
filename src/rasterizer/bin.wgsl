// Writes the tiles that each Gaussian touches into its slots; one invocation per Gaussian. The same predicate as in
// project.wgsl on the same numbers; should a compiler round one of the two otherwise, slots left over go to a tile
// beyond the last, which nobody draws.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> slotOffsets: array<u32>;
@group(0) @binding(2) var<storage, read> projected: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slots: array<u32>;
// status[0]: the most intersections that any image needed so far.
@group(0) @binding(4) var<storage, read_write> status: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  let gaussianCount = min(count[0], gaussianCapacity);
  if (index == 0u) {
    status[0] = max(status[0], slotOffsets[gaussianCount]);
  }
  if (index >= gaussianCount) {
    return;
  }
  let own = slotsOf(index);
  if (own.x == own.y) {
    return;
  }
  let place = projected[index * 3u];
  let conic = projected[index * 3u + 1u];
  let range = tileRangeOf(place.xy, vec2f(conic.w, projected[index * 3u + 2u].w));
  var slot = own.x;
  for (var y = range.begin.y; y < range.end.y; y++) {
    for (var x = range.begin.x; x < range.end.x; x++) {
      if (slot < own.y && touchesTile(place.xy, conic.xyz, place.w, vec2u(x, y))) {
        slots[slot] = y * tilesAcross + x;
        slot += 1u;
      }
    }
  }
  for (; slot < own.y; slot++) {
    slots[slot] = tilesAcross * tilesDown;
  }
}
