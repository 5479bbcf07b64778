// How kernels read a pose record and the joint table; joined behind the declarations of `pose` and `joints`.

const POSE_JOINT_FLOATS = 18u; // as in pose.ts
const TRANSFORM_FLOATS = 12u; // as in layout.ts
const MAX_JOINTS = 5u; // JOINT_NAMES

fn axisAngleOf(joint: u32) -> vec3f {
  let at = 3u + 3u * u32(joints[joint].y);
  return vec3f(pose[at], pose[at + 1u], pose[at + 2u]);
}

fn localRotation(joint: u32) -> mat3x3f {
  return matrixFromAxisAngle(axisAngleOf(joint));
}
