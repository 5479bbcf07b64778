// Sums the partial terms that a loss kernel left behind, in a fixed order, and enters them in the loss history.
//
// One workgroup: lane l adds partials l, l + 64, …; lane 0 adds the 64 sums. partials: P vec4f, one term per component.
// history: 24 floats per slot (TERMS in loss-history.ts); word 0 is the weighted total, which `startsStep` sets and
// later losses of the step add to. `startsStep` clears the other groups: not every step enters them.

struct Entry {
  weights: vec4f,
  partialCount: u32,
  slot: u32,
  group: u32, // the terms' place: words 4·group … 4·group + 3
  startsStep: u32,
}

@group(0) @binding(0) var<uniform> entry: Entry;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> history: array<vec4f>;

var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = vec4f(0.0);
  for (var index = lane; index < entry.partialCount; index += 64u) { sum += partials[index]; }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane != 0u) { return; }
  var terms = vec4f(0.0);
  for (var index = 0u; index < 64u; index++) { terms += sums[index]; }
  let base = entry.slot * 6u;
  if (entry.startsStep != 0u) {
    for (var group = 1u; group < 6u; group++) { history[base + group] = vec4f(0.0); }
  }
  history[base + entry.group] = terms;
  let total = dot(entry.weights, terms);
  if (entry.startsStep != 0u) {
    history[base] = vec4f(total, 0.0, 0.0, 0.0);
  } else {
    history[base].x += total;
  }
}
