// RGB = max(0, 0.5 + SH_C0·c): spherical harmonics of degree 0, as in 3DGS. One invocation per Gaussian.

const SH_C0 = 0.28209479177387814;

@group(0) @binding(0) var<uniform> count: vec4u; // x: Gaussians in use
@group(0) @binding(1) var<storage, read> color: array<f32>; // N×3
@group(0) @binding(2) var<storage, read_write> rgb: array<vec4f>; // N

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= count.x) {
    return;
  }
  let stored = vec3f(color[i * 3u], color[i * 3u + 1u], color[i * 3u + 2u]);
  rgb[i] = vec4f(max(vec3f(0.0), 0.5 + SH_C0 * stored), 0.0);
}
