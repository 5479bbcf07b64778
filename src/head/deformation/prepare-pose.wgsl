// Turns one pose record into the frame state (layout.ts): joint transforms by walking the skeleton from the root, and
// the blend coefficients: expressions, then R_j − I of every joint but the root.
//
// One workgroup: invocation 0 walks the joints (five), all copy expressions. The root turns about the origin
// (camera = R·head + t), every other joint about its rest position p: x → p + R(x − p).

override jointCount: u32;
override expressionCount: u32;

@group(0) @binding(0) var<storage, read> pose: array<f32>; // packPose: translation 3, axis-angle 3 × 5, expressions E
@group(0) @binding(1) var<storage, read> joints: array<vec2i>; // J: parent (−1 for the root), place among the pose's axis-angles
@group(0) @binding(2) var<storage, read> jointPositions: array<vec4f>; // J, metres, rest frame
@group(0) @binding(3) var<storage, read_write> frameState: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) invocation: u32) {
  let coefficients = jointCount * TRANSFORM_FLOATS;
  for (var k = invocation; k < expressionCount; k += 64u) {
    frameState[coefficients + k] = pose[POSE_JOINT_FLOATS + k];
  }
  if (invocation != 0u) {
    return;
  }
  var rotations: array<mat3x3f, MAX_JOINTS>;
  var offsets: array<vec3f, MAX_JOINTS>;
  for (var j = 0u; j < jointCount; j++) {
    let local = localRotation(j);
    let parent = joints[j].x;
    if (parent < 0) {
      rotations[j] = local;
      offsets[j] = vec3f(pose[0], pose[1], pose[2]);
    } else {
      let position = jointPositions[j].xyz;
      rotations[j] = rotations[parent] * local;
      offsets[j] = offsets[parent] + rotations[parent] * (position - local * position);
      let feature = coefficients + expressionCount + (j - 1u) * 9u;
      for (var i = 0u; i < 9u; i++) {
        frameState[feature + i] = local[i % 3u][i / 3u] - select(0.0, 1.0, i % 4u == 0u);
      }
    }
    for (var row = 0u; row < 3u; row++) {
      let at = j * TRANSFORM_FLOATS + row * 4u;
      frameState[at] = rotations[j][0][row];
      frameState[at + 1u] = rotations[j][1][row];
      frameState[at + 2u] = rotations[j][2][row];
      frameState[at + 3u] = offsets[j][row];
    }
  }
}
