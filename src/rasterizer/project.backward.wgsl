// Back through the projection, one invocation per Gaussian: from ∂loss/∂(mean2d, covariance2d, opacity) to the world
// attributes. Steps and names as in rasterizer.reference.ts (projectBackward). Zeros stay zeros, whatever the attributes
// hold: a Gaussian that touched nothing may hold NaN.

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<uniform> camera: Camera;
@group(0) @binding(2) var<storage, read> meanOpacity: array<vec4f>;
@group(0) @binding(3) var<storage, read> rotation: array<vec4f>;
@group(0) @binding(4) var<storage, read> scale: array<vec4f>;
@group(0) @binding(5) var<storage, read> mean2dGradient: array<vec2f>;
@group(0) @binding(6) var<storage, read> covarianceOpacityGradient: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> meanOpacityGradient: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> rotationGradient: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> scaleGradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if (index >= min(count[0], gaussianCapacity)) {
    return;
  }
  let mean2d = mean2dGradient[index];
  let covarianceOpacity = covarianceOpacityGradient[index];
  if (all(mean2d == vec2f(0.0)) && all(covarianceOpacity == vec4f(0.0))) {
    meanOpacityGradient[index] = vec4f(0.0);
    rotationGradient[index] = vec4f(0.0);
    scaleGradient[index] = vec4f(0.0);
    return;
  }
  let gradient = projectGaussianBackward(
    camera,
    meanOpacity[index].xyz,
    rotation[index],
    scale[index].xyz,
    mean2d,
    covarianceOpacity.xyz,
  );
  meanOpacityGradient[index] = vec4f(gradient.mean, covarianceOpacity.w);
  rotationGradient[index] = gradient.rotation;
  scaleGradient[index] = vec4f(gradient.scale, 0.0);
}
