// Rotations in float32; the twin of rotation.ts. WGSL matrices are column-major: `mat3x3f(c0, c1, c2)` takes columns.

// sin θ/θ, (1 − cos θ)/θ², and their derivatives by θ²/2, from θ². Below θ² = 0.25 power series: there the quotients'
// numerators cancel in float32, while the first term left out is under 1e-9.
fn rodriguesFactors(t: f32) -> vec4f {
  if (t < 0.25) {
    return vec4f(
      1.0 - t / 6.0 * (1.0 - t / 20.0 * (1.0 - t / 42.0 * (1.0 - t / 72.0))),
      0.5 - t / 24.0 * (1.0 - t / 30.0 * (1.0 - t / 56.0 * (1.0 - t / 90.0))),
      -1.0 / 3.0 + t * (1.0 / 30.0 - t * (1.0 / 840.0 - t / 45360.0)),
      -1.0 / 12.0 + t * (1.0 / 180.0 - t * (1.0 / 6720.0 - t / 453600.0)),
    );
  }
  let angle = sqrt(t);
  let a = sin(angle) / angle;
  let b = (1.0 - cos(angle)) / t;
  return vec4f(a, b, (cos(angle) - a) / t, (a - 2.0 * b) / t);
}

// R = I + A·[w]× + B·[w]×².
fn matrixFromAxisAngle(w: vec3f) -> mat3x3f {
  let factors = rodriguesFactors(dot(w, w));
  let a = factors.x * w;
  let b = factors.y;
  return mat3x3f(
    vec3f(1.0 - b * (w.y * w.y + w.z * w.z), b * w.x * w.y + a.z, b * w.x * w.z - a.y),
    vec3f(b * w.x * w.y - a.z, 1.0 - b * (w.x * w.x + w.z * w.z), b * w.y * w.z + a.x),
    vec3f(b * w.x * w.z + a.y, b * w.y * w.z - a.x, 1.0 - b * (w.x * w.x + w.y * w.y)),
  );
}

// ∂loss/∂w from G = ∂loss/∂R. With [w]×² = wwᵀ − |w|²I: ⟨G, R⟩ = tr G + A·(s·w) + B·(wᵀGw − |w|² tr G), where s holds
// G's skew part; the gradient differentiates that.
fn axisAngleGradient(w: vec3f, g: mat3x3f) -> vec3f {
  let t = dot(w, w);
  let factors = rodriguesFactors(t);
  let skew = vec3f(g[1].z - g[2].y, g[2].x - g[0].z, g[0].y - g[1].x);
  let trace = g[0].x + g[1].y + g[2].z;
  let gw = g * w;
  let quadratic = dot(w, gw) - t * trace;
  return factors.x * skew + factors.y * (gw + w * g - 2.0 * trace * w)
    + (factors.z * dot(skew, w) + factors.w * quadratic) * w;
}

// Hamilton product of quaternions w, x, y, z: first b, then a.
fn multiplyQuaternions(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(
    a.x * b.x - dot(a.yzw, b.yzw),
    a.x * b.yzw + b.x * a.yzw + cross(a.yzw, b.yzw),
  );
}

fn conjugateQuaternion(q: vec4f) -> vec4f {
  return vec4f(q.x, -q.yzw);
}

// Unit quaternion w, x, y, z with w ≥ 0 of a rotation matrix, by the largest of its components (Shepperd).
fn quaternionFromMatrix(m: mat3x3f) -> vec4f {
  let squares = vec4f(
    1.0 + m[0].x + m[1].y + m[2].z,
    1.0 + m[0].x - m[1].y - m[2].z,
    1.0 - m[0].x + m[1].y - m[2].z,
    1.0 - m[0].x - m[1].y + m[2].z,
  );
  let difference = vec3f(m[1].z - m[2].y, m[2].x - m[0].z, m[0].y - m[1].x);
  let sums = vec3f(m[0].y + m[1].x, m[0].z + m[2].x, m[1].z + m[2].y); // xy, xz, yz
  var q = vec4f(squares.x, difference);
  var largest = squares.x;
  if (squares.y > largest) {
    q = vec4f(difference.x, squares.y, sums.x, sums.y);
    largest = squares.y;
  }
  if (squares.z > largest) {
    q = vec4f(difference.y, sums.x, squares.z, sums.z);
    largest = squares.z;
  }
  if (squares.w > largest) {
    q = vec4f(difference.z, sums.y, sums.z, squares.w);
  }
  return normalize(select(q, -q, q.x < 0.0));
}
