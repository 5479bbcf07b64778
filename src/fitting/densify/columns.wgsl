// Moves one column (an attribute, an optimiser moment, an index) when the set of Gaussians changes. Columns hold 32-bit
// words; the kernel does not care what they mean.
//
// compact: target[place(i)·stride + c] = column[i·stride + c] for every kept i (place = exclusive scan of the marks)
// append:  column[(count + j)·stride + c] = column[parents[j]·stride + c], or zero, for j < min(draws, room left)

struct Settings {
  stride: u32,
  capacity: u32,
  // append: 0 copies the parent's words, 1 writes zeros; of floats, 2 adds `value` and 3 goes no higher than it
  mode: u32,
  value: f32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> count: array<u32>;
@group(0) @binding(2) var<storage, read> marks: array<u32>;
@group(0) @binding(3) var<storage, read> places: array<u32>;
@group(0) @binding(4) var<storage, read_write> column: array<u32>;
@group(0) @binding(5) var<storage, read_write> compacted: array<u32>;
@group(0) @binding(6) var<storage, read> parents: array<u32>;
@group(0) @binding(7) var<storage, read> draws: array<u32>;

@compute @workgroup_size(64)
fn compact(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count[0] || marks[id.x] == 0u) { return; }
  let sourceBase = id.x * settings.stride;
  let targetBase = places[id.x] * settings.stride;
  for (var word = 0u; word < settings.stride; word++) { compacted[targetBase + word] = column[sourceBase + word]; }
}

@compute @workgroup_size(64)
fn append(@builtin(global_invocation_id) id: vec3u) {
  let child = count[0] + id.x;
  if (id.x >= draws[0] || child >= settings.capacity) { return; }
  let sourceBase = parents[id.x] * settings.stride;
  let targetBase = child * settings.stride;
  for (var word = 0u; word < settings.stride; word++) {
    var bits = column[sourceBase + word];
    if (settings.mode == 1u) { bits = 0u; }
    if (settings.mode == 2u) { bits = bitcast<u32>(bitcast<f32>(bits) + settings.value); }
    if (settings.mode == 3u) { bits = bitcast<u32>(min(bitcast<f32>(bits), settings.value)); }
    column[targetBase + word] = bits;
  }
}
