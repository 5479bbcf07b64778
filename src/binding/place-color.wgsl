// RGB = max(0, 0.5 + SH_C0·c): spherical harmonics of degree 0, as in 3DGS.

const SH_C0 = 0.28209479177387814;

fn placeColor(i: u32) {
  let stored = vec3f(color[i * 3u], color[i * 3u + 1u], color[i * 3u + 2u]);
  rgb[i] = vec4f(max(vec3f(0.0), 0.5 + SH_C0 * stored), 0.0);
}
