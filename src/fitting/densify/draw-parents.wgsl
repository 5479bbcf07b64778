// Sampling-based densification (FATE §3.2, eq 6): draws parents with replacement, p_k = I_k / Σ I.
// Two entry points in one pass: sums of 256 contiguous chunks, then one invocation per draw, which walks the chunk
// sums and then its chunk. Every sum runs in index order, so the draw is the same each time.
//
// importance  N   f32  accumulated positional-gradient norm
// count       1   u32  Gaussians in use
// chunkSums   256 f32
// parents     D   u32  drawn Gaussian indices
// settings        seed, stream (the step), draws

struct Settings {
  seed: u32,
  stream: u32,
  draws: u32,
  unused: u32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> importance: array<f32>;
@group(0) @binding(2) var<storage, read> count: array<u32>;
@group(0) @binding(3) var<storage, read_write> chunkSums: array<f32>;
@group(0) @binding(4) var<storage, read_write> parents: array<u32>;

const CHUNKS = 256u;

fn chunkSize() -> u32 {
  return max(1u, (count[0] + CHUNKS - 1u) / CHUNKS);
}

// Gaussians without any gradient keep a sliver of probability, so that an all-zero importance draws evenly.
fn weightOf(index: u32) -> f32 {
  let value = importance[index];
  return select(0.0, value, value > 0.0 && value < 3.0e38) + 1.0e-20;
}

@compute @workgroup_size(32)
fn sumChunks(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= CHUNKS) { return; }
  let size = chunkSize();
  let end = min(count[0], (id.x + 1u) * size);
  var sum = 0.0;
  for (var index = id.x * size; index < end; index++) { sum += weightOf(index); }
  chunkSums[id.x] = sum;
}

@compute @workgroup_size(32)
fn draw(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= settings.draws || count[0] == 0u) { return; }
  var total = 0.0;
  for (var chunk = 0u; chunk < CHUNKS; chunk++) { total += chunkSums[chunk]; }
  var rest = randomUniform(settings.seed, settings.stream, id.x * 4u) * total;
  var chunk = 0u;
  while (chunk < CHUNKS - 1u && rest >= chunkSums[chunk]) {
    rest -= chunkSums[chunk];
    chunk++;
  }
  let size = chunkSize();
  let end = min(count[0], (chunk + 1u) * size);
  var index = min(chunk * size, count[0] - 1u);
  while (index + 1u < end && rest >= weightOf(index)) {
    rest -= weightOf(index);
    index++;
  }
  parents[id.x] = index;
}
