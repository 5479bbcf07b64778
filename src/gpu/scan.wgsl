// Exclusive prefix sum over uint32, in place, in two dispatches without barriers or atomics.
//
// The n values are cut into `partCount` unbroken parts, one per invocation. `reduce` sums each part; `scan` sums the
// parts before its own and then walks its part. Sums wrap at 2³². values[n] receives the total.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> partSums: array<u32>;

override partCount: u32;

struct Part {
  begin: u32,
  end: u32,
  valueCount: u32,
}

fn partOf(index: u32) -> Part {
  let valueCount = min(count[0], arrayLength(&values) - 1u);
  let length = (valueCount + partCount - 1u) / partCount;
  return Part(min(index * length, valueCount), min((index + 1u) * length, valueCount), valueCount);
}

@compute @workgroup_size(64)
fn reduce(@builtin(global_invocation_id) id: vec3u) {
  let part = partOf(id.x);
  var sum = 0u;
  for (var i = part.begin; i < part.end; i++) {
    sum += values[i];
  }
  partSums[id.x] = sum;
}

@compute @workgroup_size(64)
fn scan(@builtin(global_invocation_id) id: vec3u) {
  let part = partOf(id.x);
  var sum = 0u;
  for (var i = 0u; i < id.x; i++) {
    sum += partSums[i];
  }
  for (var i = part.begin; i < part.end; i++) {
    let value = values[i];
    values[i] = sum;
    sum += value;
  }
  if (id.x == partCount - 1u) {
    values[part.valueCount] = sum;
  }
}
