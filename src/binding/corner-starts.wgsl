// cornerStarts[v] = first place in the sorted keys with key ≥ v, by bisection. One invocation per vertex, V+1 of them.

override vertexCount: u32;

@group(0) @binding(0) var<storage, read> control: array<u32>; // 0: number of keys
@group(0) @binding(1) var<storage, read> sortedKeys: array<u32>;
@group(0) @binding(2) var<storage, read_write> cornerStarts: array<u32>; // V+1

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x > vertexCount) {
    return;
  }
  var low = 0u;
  var high = control[0];
  while (low < high) {
    let middle = (low + high) / 2u;
    if (sortedKeys[middle] < id.x) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  cornerStarts[id.x] = low;
}
