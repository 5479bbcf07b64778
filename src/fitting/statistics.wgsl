// Gathers what densification asks: the norm of each Gaussian's image-space positional gradient, summed over steps, and
// in how many steps it had one (FATE §3.2: I_k; 3DGS divides by the visits).
//
// mean2dGradient N vec2f ∂loss/∂mean2d, pixels; scaled here to the 3DGS unit of half an image edge

override halfEdge: f32 = 128.0;

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> mean2dGradient: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> importance: array<f32>;
@group(0) @binding(3) var<storage, read_write> visits: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count[0]) { return; }
  let norm = length(mean2dGradient[id.x]) * halfEdge;
  // A gradient that is not finite says nothing about where to add.
  if (!(norm > 0.0 && norm < 1.0e20)) { return; }
  importance[id.x] += norm;
  visits[id.x] += 1.0;
}
