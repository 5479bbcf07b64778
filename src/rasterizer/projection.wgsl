// The step from a world Gaussian to its image-space Gaussian that forward and backward share (3DGS §4, EWA splatting):
//   Σ' = M Mᵀ + 0.3·I,  M = J·W·R·S (2×3).
// 2×3 matrices are held as two vec3f rows. Equations and names as in rasterizer.reference.ts.

struct Projection {
  meanCamera: vec3f,
  // x/z and y/z held near the image, where the linearisation is trusted, and whether each is free (1) or held (0).
  heldSlope: vec2f,
  slopeIsFree: vec2f,
  // Rows of J·W, of J·W·R and of M.
  imageFromWorld: array<vec3f, 2>,
  oriented: array<vec3f, 2>,
  spread: array<vec3f, 2>,
  // Image-space covariance xx, xy, yy, pixels².
  covariance: vec3f,
}

// Row-major rotation matrix of a unit quaternion wxyz, as three rows.
fn rotationRows(q: vec4f) -> array<vec3f, 3> {
  let w = q.x;
  let x = q.y;
  let y = q.z;
  let z = q.w;
  return array<vec3f, 3>(
    vec3f(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)),
    vec3f(2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)),
    vec3f(2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)),
  );
}

fn cameraFromWorld(camera: Camera, mean: vec3f) -> vec3f {
  let point = vec4f(mean, 1.0);
  return vec3f(dot(camera.row0, point), dot(camera.row1, point), dot(camera.row2, point));
}

fn projectGaussian(camera: Camera, mean: vec3f, rotation: array<vec3f, 3>, scale: vec3f) -> Projection {
  var p: Projection;
  p.meanCamera = cameraFromWorld(camera, mean);
  let inverseDepth = 1.0 / p.meanCamera.z;
  let slope = p.meanCamera.xy * inverseDepth;
  // 0.3 half-fields of view around the image: 3DGS's 1.3·tan(fov/2), for any principal point.
  let margin = 0.15 * camera.size / camera.focal;
  p.heldSlope = clamp(
    slope,
    -camera.principal / camera.focal - margin,
    (camera.size - camera.principal) / camera.focal + margin,
  );
  p.slopeIsFree = select(vec2f(0.0), vec2f(1.0), p.heldSlope == slope);
  let focal = camera.focal * inverseDepth;
  p.imageFromWorld[0] = focal.x * (camera.row0.xyz - p.heldSlope.x * camera.row2.xyz);
  p.imageFromWorld[1] = focal.y * (camera.row1.xyz - p.heldSlope.y * camera.row2.xyz);
  for (var row = 0; row < 2; row++) {
    let axes = p.imageFromWorld[row];
    p.oriented[row] = axes.x * rotation[0] + axes.y * rotation[1] + axes.z * rotation[2];
    p.spread[row] = p.oriented[row] * scale;
  }
  p.covariance = vec3f(
    dot(p.spread[0], p.spread[0]) + covarianceDilation,
    dot(p.spread[0], p.spread[1]),
    dot(p.spread[1], p.spread[1]) + covarianceDilation,
  );
  return p;
}

// Determinant of the dilated covariance. M Mᵀ's part is the squared cross product of M's rows: written so, thin
// Gaussians keep their digits, where xx·yy − xy² cancels.
fn covarianceDeterminant(p: Projection) -> f32 {
  let normal = cross(p.spread[0], p.spread[1]);
  let trace = p.covariance.x + p.covariance.z - 2.0 * covarianceDilation;
  return dot(normal, normal) + covarianceDilation * (trace + covarianceDilation);
}

fn conicOf(p: Projection) -> vec3f {
  return vec3f(p.covariance.z, -p.covariance.y, p.covariance.x) / covarianceDeterminant(p);
}
