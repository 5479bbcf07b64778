// Where the children go, and the new number of Gaussians.
//
// listMarked:        parents[places[i]] = i for marked i; draws = how many (for the 3DGS rule)
// placeChildren:     fresh barycentrics ŵ ~ U(0,1)³, normalised to sum 1 (FATE eqs 7–8), in a triangle of the patch around the
//                    parent's, drawn by area; with `nearness` > 0 in the parent's own, drawn towards its place
// growCount, keepCount: the counts after appending and after compaction

struct Settings {
  seed: u32,
  stream: u32,
  capacity: u32,
  // 0: anywhere in the patch; above, in the parent's triangle; 1: exactly the parent's place
  nearness: f32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read_write> count: array<u32>;
@group(0) @binding(2) var<storage, read> marks: array<u32>;
@group(0) @binding(3) var<storage, read> places: array<u32>;
@group(0) @binding(4) var<storage, read_write> parents: array<u32>;
@group(0) @binding(5) var<storage, read_write> draws: array<u32>;
@group(0) @binding(6) var<storage, read_write> barycentrics: array<f32>;
@group(0) @binding(7) var<storage, read_write> triangleIndices: array<u32>;
// T+1 starts, then at pair i of the array: a member, and the bits of its share (patches.ts). Starts count pairs.
@group(0) @binding(8) var<storage, read> patches: array<u32>;

@compute @workgroup_size(64)
fn listMarked(@builtin(global_invocation_id) id: vec3u) {
  if (id.x == 0u) { draws[0] = places[count[0]]; }
  if (id.x >= count[0]) { return; }
  if (marks[id.x] != 0u) { parents[places[id.x]] = id.x; }
}

// Apart from the draws of parents and weights.
const PATCH_STREAM = 0x40000000u;

fn triangleNear(triangle: u32, random: f32) -> u32 {
  var pair = patches[triangle];
  let last = patches[triangle + 1u] - 1u;
  while (pair < last && random >= bitcast<f32>(patches[pair * 2u + 1u])) { pair++; }
  return patches[pair * 2u];
}

@compute @workgroup_size(64)
fn placeChildren(@builtin(global_invocation_id) id: vec3u) {
  let child = count[0] + id.x;
  if (id.x >= draws[0] || child >= settings.capacity) { return; }
  var weights = vec3f(
    randomUniform(settings.seed, settings.stream, id.x * 4u + 1u),
    randomUniform(settings.seed, settings.stream, id.x * 4u + 2u),
    randomUniform(settings.seed, settings.stream, id.x * 4u + 3u),
  ) + 1.0e-6;
  weights = weights / (weights.x + weights.y + weights.z);
  let parent = parents[id.x];
  if (settings.nearness > 0.0) {
    let own = vec3f(barycentrics[parent * 3u], barycentrics[parent * 3u + 1u], barycentrics[parent * 3u + 2u]);
    weights = mix(weights, own, settings.nearness);
  } else {
    let random = randomUniform(settings.seed, settings.stream ^ PATCH_STREAM, id.x);
    triangleIndices[child] = triangleNear(triangleIndices[parent], random);
  }
  for (var corner = 0u; corner < 3u; corner++) { barycentrics[child * 3u + corner] = weights[corner]; }
}

@compute @workgroup_size(1)
fn growCount() {
  // An empty set has no parents: what was appended is nobody's child.
  if (count[0] == 0u) { return; }
  count[0] = min(count[0] + draws[0], settings.capacity);
}

@compute @workgroup_size(1)
fn keepCount() {
  count[0] = places[count[0]];
}
