// ∂loss/∂cameraFromWorld: the sum over all Gaussians, in a fixed order. `sumParts`: each of `partCount` invocations adds
// up an unbroken range of Gaussians; `sumAll`: one invocation per matrix row adds up the parts.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<uniform> camera: Camera;
@group(0) @binding(2) var<storage, read> meanOpacity: array<vec4f>;
@group(0) @binding(3) var<storage, read> rotation: array<vec4f>;
@group(0) @binding(4) var<storage, read> scale: array<vec4f>;
@group(0) @binding(5) var<storage, read> mean2dGradient: array<vec2f>;
@group(0) @binding(6) var<storage, read> covarianceOpacityGradient: array<vec4f>;
// Three rows of four per part.
@group(0) @binding(7) var<storage, read_write> parts: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> cameraGradient: array<vec4f>;

const partCount = 256u;

@compute @workgroup_size(64)
fn sumParts(@builtin(global_invocation_id) id: vec3u) {
  let gaussianCount = min(count[0], gaussianCapacity);
  let length = (gaussianCount + partCount - 1u) / partCount;
  var row0 = vec4f(0.0);
  var row1 = vec4f(0.0);
  var row2 = vec4f(0.0);
  for (var index = id.x * length; index < min((id.x + 1u) * length, gaussianCount); index++) {
    let mean2d = mean2dGradient[index];
    let covariance = covarianceOpacityGradient[index].xyz;
    if (any(mean2d != vec2f(0.0)) || any(covariance != vec3f(0.0))) {
      let gradient = projectGaussianBackward(
        camera,
        meanOpacity[index].xyz,
        rotation[index],
        scale[index].xyz,
        mean2d,
        covariance,
      );
      row0 += gradient.cameraRow0;
      row1 += gradient.cameraRow1;
      row2 += gradient.cameraRow2;
    }
  }
  parts[id.x * 3u] = row0;
  parts[id.x * 3u + 1u] = row1;
  parts[id.x * 3u + 2u] = row2;
}

@compute @workgroup_size(3)
fn sumAll(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f(0.0);
  for (var part = 0u; part < partCount; part++) {
    sum += parts[part * 3u + id.x];
  }
  cameraGradient[id.x] = sum;
}
