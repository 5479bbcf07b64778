// Marks Gaussians for removal or duplication; a scan of the marks then gives each its place.
//
// markKept: 1 where a Gaussian stays: opacity ≥ the limit and finite (FATE §3.5 prunes below 0.005).
// markHighGradient: 1 where the mean positional gradient per visit is over the limit: the rule of 3DGS, for the
//   GaussianAvatars and SplattingAvatar baselines.
// splitMarked (after the scan): a marked Gaussian that is large is split: it shrinks in place and its appended copy is
//   the second half; a small one is only cloned. One whose copy has no room stays as it is.
// resetOpacity: opacity ≤ the limit for all, with zero moments (3DGS).

struct Settings {
  // markKept, resetOpacity: the limit as a logit; markHighGradient: gradient norm per visit
  limit: f32,
  // splitMarked: log of the scale (metres) over which a Gaussian is split, and what splitting adds to logScale
  splitLogScale: f32,
  splitShrink: f32,
  unused: f32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> count: array<u32>;
@group(0) @binding(2) var<storage, read_write> marks: array<u32>;
@group(0) @binding(3) var<storage, read_write> opacityLogit: array<f32>;
@group(0) @binding(4) var<storage, read> importance: array<f32>;
@group(0) @binding(5) var<storage, read> visits: array<f32>;
@group(0) @binding(6) var<storage, read_write> logScale: array<f32>;
@group(0) @binding(7) var<storage, read> places: array<u32>;

@compute @workgroup_size(64)
fn markKept(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&marks)) { return; }
  let logit = opacityLogit[id.x];
  marks[id.x] = select(0u, 1u, id.x < count[0] && logit >= settings.limit && logit < 3.0e38);
}

@compute @workgroup_size(64)
fn markHighGradient(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&marks)) { return; }
  let marked = id.x < count[0] && visits[id.x] > 0.0 && importance[id.x] > settings.limit * visits[id.x];
  marks[id.x] = select(0u, 1u, marked);
}

@compute @workgroup_size(64)
fn splitMarked(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count[0] || marks[id.x] == 0u) { return; }
  let capacity = arrayLength(&marks);
  if (count[0] + places[id.x] >= capacity) { return; }
  let base = id.x * 3u;
  let largest = max(logScale[base], max(logScale[base + 1u], logScale[base + 2u]));
  if (largest <= settings.splitLogScale) { return; }
  for (var axis = 0u; axis < 3u; axis++) { logScale[base + axis] += settings.splitShrink; }
}

@compute @workgroup_size(64)
fn resetOpacity(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count[0]) { return; }
  opacityLogit[id.x] = min(opacityLogit[id.x], settings.limit);
}
