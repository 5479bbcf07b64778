// Colour with the rest of place.wgsl, on devices with 12 storage buffers per kernel: a dispatch less.

@group(0) @binding(11) var<storage, read> color: array<f32>; // N×3
@group(0) @binding(12) var<storage, read_write> rgb: array<vec4f>; // N
