// Intersections into tile lists, front to back within each tile: a stable counting sort by tile of Gaussians that come
// in depth order. As in gpu/sort.wgsl, the depth order is cut into `chunkCount` chunks, each walked by one invocation
// with counters of its own: no atomics, no barriers.
//
// `countTiles` fills counters[tile · chunkCount + chunk]; after their exclusive prefix sum `scatter` writes each
// (Gaussian, slot) to its places. Afterwards counters[(tile + 1) · chunkCount − 1] is the end of the tile's list.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> slotOffsets: array<u32>;
@group(0) @binding(2) var<storage, read> depthOrder: array<u32>;
@group(0) @binding(3) var<storage, read> slots: array<u32>;
@group(0) @binding(4) var<storage, read_write> counters: array<u32>;
@group(0) @binding(5) var<storage, read_write> intersections: array<vec2u>;

fn chunkOf(chunk: u32) -> vec2u {
  let gaussianCount = min(count[0], gaussianCapacity);
  let length = (gaussianCount + chunkCount - 1u) / chunkCount;
  return vec2u(min(chunk * length, gaussianCount), min((chunk + 1u) * length, gaussianCount));
}

@compute @workgroup_size(16)
fn countTiles(@builtin(global_invocation_id) id: vec3u) {
  let chunk = chunkOf(id.x);
  for (var i = chunk.x; i < chunk.y; i++) {
    let own = slotsOf(depthOrder[i]);
    for (var slot = own.x; slot < own.y; slot++) {
      counters[slots[slot] * chunkCount + id.x] += 1u;
    }
  }
}

@compute @workgroup_size(16)
fn scatter(@builtin(global_invocation_id) id: vec3u) {
  let chunk = chunkOf(id.x);
  for (var i = chunk.x; i < chunk.y; i++) {
    let gaussian = depthOrder[i];
    let own = slotsOf(gaussian);
    for (var slot = own.x; slot < own.y; slot++) {
      let counter = slots[slot] * chunkCount + id.x;
      let place = counters[counter];
      counters[counter] = place + 1u;
      intersections[place] = vec2u(gaussian, slot);
    }
  }
}
