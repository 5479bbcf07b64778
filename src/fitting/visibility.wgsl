// Adds what each Gaussian contributed to one picture: the rasteriser's backward pass, given an image gradient of 1 in
// red and w in green, leaves Σ alpha · transmittance over the pixels in rgbGradient.r, and the same with weights w in .g.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> rgbGradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> contribution: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count[0]) { return; }
  contribution[id.x] += rgbGradient[id.x].xy;
}
