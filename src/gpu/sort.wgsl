// One pass of a stable radix sort of (uint32 key, uint32 value), without barriers or atomics.
//
// The n pairs are cut into `chunkCount` unbroken chunks, one per invocation. `histogram` counts the digits of a chunk
// into counters of its own, counters[digit · chunkCount + chunk]; their exclusive prefix sum is where each chunk's pairs
// of a digit go, digit after digit and chunk after chunk, which is what makes it stable; `scatter` puts them there.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> counters: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> sortedKeys: array<u32>;
@group(0) @binding(5) var<storage, read_write> sortedValues: array<u32>;

override chunkCount: u32;
override shift: u32;
override digitMask: u32;

fn chunkOf(chunk: u32) -> vec2u {
  let pairCount = min(count[0], arrayLength(&keys));
  let length = (pairCount + chunkCount - 1u) / chunkCount;
  return vec2u(min(chunk * length, pairCount), min((chunk + 1u) * length, pairCount));
}

@compute @workgroup_size(chunksPerWorkgroup)
fn histogram(@builtin(global_invocation_id) id: vec3u) {
  let chunk = chunkOf(id.x);
  for (var i = chunk.x; i < chunk.y; i++) {
    counters[((keys[i] >> shift) & digitMask) * chunkCount + id.x] += 1u;
  }
}

@compute @workgroup_size(chunksPerWorkgroup)
fn scatter(@builtin(global_invocation_id) id: vec3u) {
  let chunk = chunkOf(id.x);
  for (var i = chunk.x; i < chunk.y; i++) {
    let key = keys[i];
    let counter = ((key >> shift) & digitMask) * chunkCount + id.x;
    let place = counters[counter];
    counters[counter] = place + 1u;
    sortedKeys[place] = key;
    sortedValues[place] = values[i];
  }
}
