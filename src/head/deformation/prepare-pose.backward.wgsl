// From the partial sums to ∂loss/∂pose record, and to ∂loss/∂ rest positions of the joints.
//
// One workgroup. First all invocations finish the sums, each in fixed order; then invocation 0 walks the joints from
// the leaves to the root. With R_w, o of the joint in the world, parent p, own rotation R about position q:
//   R_w = R_wp·R,  o = o_p + R_wp·(q − R·q)
//   ∂R += R_wpᵀ·∂R_w − (R_wpᵀ·∂o)·qᵀ + ∂features;  ∂R_wp += ∂R_w·Rᵀ + ∂o·(q − R·q)ᵀ;  ∂o_p += ∂o
//   ∂q = (I − R)ᵀ·R_wpᵀ·∂o

override jointCount: u32;
override expressionCount: u32;
override partCount: u32;

@group(0) @binding(0) var<storage, read> pose: array<f32>;
@group(0) @binding(1) var<storage, read> joints: array<vec2i>;
@group(0) @binding(2) var<storage, read> jointPositions: array<vec4f>;
@group(0) @binding(3) var<storage, read> frameState: array<f32>;
@group(0) @binding(4) var<storage, read> transformSums: array<f32>; // parts × J × 12
@group(0) @binding(5) var<storage, read> coefficientSums: array<f32>; // parts / 8 × C × 8
@group(0) @binding(6) var<storage, read_write> sums: array<f32>; // J × 12, then C: laid out like the frame state
@group(0) @binding(7) var<storage, read_write> poseGradient: array<f32>; // laid out like the pose record
@group(0) @binding(8) var<storage, read_write> jointPositionGradient: array<vec4f>; // J

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) invocation: u32) {
  let transforms = jointCount * TRANSFORM_FLOATS;
  for (var i = invocation; i < transforms; i += 64u) {
    var sum = 0.0;
    for (var part = 0u; part < partCount; part++) {
      sum += transformSums[part * transforms + i];
    }
    sums[i] = sum;
  }
  let coefficientCount = expressionCount + 9u * (jointCount - 1u);
  for (var k = invocation; k < coefficientCount; k += 64u) {
    var sum = 0.0;
    for (var part = 0u; part < partCount; part++) {
      sum += coefficientSums[((part / 8u) * coefficientCount + k) * 8u + part % 8u];
    }
    sums[transforms + k] = sum;
    if (k < expressionCount) {
      poseGradient[POSE_JOINT_FLOATS + k] = sum;
    }
  }
  for (var i = invocation; i < POSE_JOINT_FLOATS; i += 64u) {
    poseGradient[i] = 0.0; // joints that this head lacks
  }
  storageBarrier();
  if (invocation == 0u) {
    walkJoints();
  }
}

fn walkJoints() {
  var rotationGradients: array<mat3x3f, MAX_JOINTS>;
  var offsetGradients: array<vec3f, MAX_JOINTS>;
  for (var j = 0u; j < jointCount; j++) {
    rotationGradients[j] = rotationOf(j, true);
    let at = j * TRANSFORM_FLOATS;
    offsetGradients[j] = vec3f(sums[at + 3u], sums[at + 7u], sums[at + 11u]);
  }
  for (var next = jointCount; next > 0u; next--) {
    let j = next - 1u;
    let parent = joints[j].x;
    if (parent < 0) {
      writeVector(3u + 3u * u32(joints[j].y), axisAngleGradient(axisAngleOf(j), rotationGradients[j]));
      writeVector(0u, offsetGradients[j]);
      jointPositionGradient[j] = vec4f();
      continue;
    }
    let local = localRotation(j);
    let position = jointPositions[j].xyz;
    let fromParent = transpose(rotationOf(u32(parent), false));
    let offsetInParent = fromParent * offsetGradients[j];
    let localGradient = fromParent * rotationGradients[j] - outer(offsetInParent, position) + featureGradient(j);
    writeVector(3u + 3u * u32(joints[j].y), axisAngleGradient(axisAngleOf(j), localGradient));
    jointPositionGradient[j] = vec4f(offsetInParent - transpose(local) * offsetInParent, 0.0);
    rotationGradients[parent] += rotationGradients[j] * transpose(local) + outer(offsetGradients[j], position - local * position);
    offsetGradients[parent] += offsetGradients[j];
  }
}

// The rotation part of a joint's 3×4 block, of the summed gradient or of the frame state.
fn rotationOf(joint: u32, ofGradient: bool) -> mat3x3f {
  var matrix: mat3x3f;
  for (var row = 0u; row < 3u; row++) {
    for (var column = 0u; column < 3u; column++) {
      let at = joint * TRANSFORM_FLOATS + row * 4u + column;
      if (ofGradient) {
        matrix[column][row] = sums[at];
      } else {
        matrix[column][row] = frameState[at];
      }
    }
  }
  return matrix;
}

fn featureGradient(joint: u32) -> mat3x3f {
  let at = jointCount * TRANSFORM_FLOATS + expressionCount + (joint - 1u) * 9u;
  var matrix: mat3x3f;
  for (var i = 0u; i < 9u; i++) {
    matrix[i % 3u][i / 3u] = sums[at + i];
  }
  return matrix;
}

// column · rowᵀ
fn outer(column: vec3f, row: vec3f) -> mat3x3f {
  return mat3x3f(column * row.x, column * row.y, column * row.z);
}

fn writeVector(at: u32, value: vec3f) {
  poseGradient[at] = value.x;
  poseGradient[at + 1u] = value.y;
  poseGradient[at + 2u] = value.z;
}
