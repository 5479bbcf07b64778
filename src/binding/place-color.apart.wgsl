// Colour in a kernel of its own, on devices with 10 storage buffers per kernel. One invocation per Gaussian.

@group(0) @binding(0) var<uniform> count: vec4u; // x: Gaussians in use
@group(0) @binding(1) var<storage, read> color: array<f32>; // N×3
@group(0) @binding(2) var<storage, read_write> rgb: array<vec4f>; // N

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < count.x) {
    placeColor(id.x);
  }
}
