// Back through projection.wgsl: from ∂loss/∂(mean2d, covariance2d) to the world attributes and the camera. Steps and
// names as in rasterizer.reference.ts (projectBackward).

struct ProjectionGradient {
  mean: vec3f,
  rotation: vec4f,
  scale: vec3f,
  // Rows of ∂loss/∂cameraFromWorld.
  cameraRow0: vec4f,
  cameraRow1: vec4f,
  cameraRow2: vec4f,
}

// `covariance`: ∂loss/∂(xx, xy, yy) of the symmetric matrix, xy standing for each of its two entries.
fn projectGaussianBackward(
  camera: Camera,
  mean: vec3f,
  quaternion: vec4f,
  scale: vec3f,
  mean2d: vec2f,
  covariance: vec3f,
) -> ProjectionGradient {
  let rotation = rotationRows(quaternion);
  let p = projectGaussian(camera, mean, rotation, scale);
  var gradient: ProjectionGradient;

  // covariance = M Mᵀ, M = (J·W)·R·S.
  let spread0 = 2.0 * (covariance.x * p.spread[0] + covariance.y * p.spread[1]);
  let spread1 = 2.0 * (covariance.y * p.spread[0] + covariance.z * p.spread[1]);
  gradient.scale = spread0 * p.oriented[0] + spread1 * p.oriented[1];
  let oriented0 = spread0 * scale;
  let oriented1 = spread1 * scale;
  gradient.rotation = quaternionGradient(
    quaternion,
    p.imageFromWorld[0].x * oriented0 + p.imageFromWorld[1].x * oriented1,
    p.imageFromWorld[0].y * oriented0 + p.imageFromWorld[1].y * oriented1,
    p.imageFromWorld[0].z * oriented0 + p.imageFromWorld[1].z * oriented1,
  );
  let imageFromWorld0 = vec3f(dot(oriented0, rotation[0]), dot(oriented0, rotation[1]), dot(oriented0, rotation[2]));
  let imageFromWorld1 = vec3f(dot(oriented1, rotation[0]), dot(oriented1, rotation[1]), dot(oriented1, rotation[2]));

  // J = (fx/z)·(1, 0, −slopeX), (fy/z)·(0, 1, −slopeY), with the slopes held near the image.
  let inverseDepth = 1.0 / p.meanCamera.z;
  let focal = camera.focal * inverseDepth;
  let jacobianDiagonal = vec2f(dot(imageFromWorld0, camera.row0.xyz), dot(imageFromWorld1, camera.row1.xyz));
  let jacobianDepth = vec2f(dot(imageFromWorld0, camera.row2.xyz), dot(imageFromWorld1, camera.row2.xyz));
  let slope = camera.focal * mean2d - p.slopeIsFree * focal * jacobianDepth;
  let inverseDepthGradient = dot(camera.focal, jacobianDiagonal - jacobianDepth * p.heldSlope);
  let meanCamera = vec3f(
    slope * inverseDepth,
    -(dot(slope, p.meanCamera.xy) + inverseDepthGradient) * inverseDepth * inverseDepth,
  );
  gradient.mean =
    camera.row0.xyz * meanCamera.x + camera.row1.xyz * meanCamera.y + camera.row2.xyz * meanCamera.z;

  let point = vec4f(mean, 1.0);
  gradient.cameraRow0 = meanCamera.x * point + vec4f(focal.x * imageFromWorld0, 0.0);
  gradient.cameraRow1 = meanCamera.y * point + vec4f(focal.y * imageFromWorld1, 0.0);
  gradient.cameraRow2 = meanCamera.z * point
    - vec4f(focal.x * p.heldSlope.x * imageFromWorld0 + focal.y * p.heldSlope.y * imageFromWorld1, 0.0);
  return gradient;
}

// From the rows of ∂loss/∂R to the quaternion wxyz of rotationRows.
fn quaternionGradient(q: vec4f, row0: vec3f, row1: vec3f, row2: vec3f) -> vec4f {
  let w = q.x;
  let v = q.yzw;
  // R is linear in w with the skew part: its antisymmetric differences.
  let skew = vec3f(row2.y - row1.z, row0.z - row2.x, row1.x - row0.y);
  // (∂R + ∂Rᵀ)·v with the diagonal's own terms: R_ii holds −2·(v·v − v_i²).
  let symmetric = vec3f(
    (row0.y + row1.x) * v.y + (row0.z + row2.x) * v.z - 2.0 * v.x * (row1.y + row2.z),
    (row0.y + row1.x) * v.x + (row1.z + row2.y) * v.z - 2.0 * v.y * (row0.x + row2.z),
    (row0.z + row2.x) * v.x + (row1.z + row2.y) * v.y - 2.0 * v.z * (row0.x + row1.y),
  );
  return 2.0 * vec4f(dot(skew, v), w * skew + symmetric);
}
