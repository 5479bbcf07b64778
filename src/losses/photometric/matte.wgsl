// Matte loss: mean over pixels of weight · |(1 − transmittance) − alpha|, and its gradient by the transmittance.
//
// Invocation: column id.x, strip id.y of rows.
// partials from `firstMattePartial`: one vec4f per invocation: (0, 0, Σ weight·|…| / HW, 0).

@group(0) @binding(0) var<uniform> step: PhotometricStep;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read_write> imageGradient: array<f32>; // H×W×4; only w is written
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(groupWidth)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= step.width) { return; }
  let scale = 1.0 / f32(step.width * step.height);
  var sum = 0.0;
  for (var row = id.y * step.stripLength; row < min((id.y + 1u) * step.stripLength, step.height); row++) {
    let index = row * step.width + id.x;
    let transmittance = image[index * 4u + 3u];
    let usable = isUsable(transmittance);
    let alpha = byteOf(targetPixels[step.targetOffset + index], 3u);
    let difference = select(0.0, 1.0 - transmittance - alpha, usable);
    let weight = pixelWeight(id.x, row);
    sum += weight * abs(difference);
    imageGradient[index * 4u + 3u] = -step.matteWeight * weight * sign(difference) * scale;
  }
  partials[step.firstMattePartial + id.y * step.width + id.x] = vec4f(0.0, 0.0, sum * scale, 0.0);
}
