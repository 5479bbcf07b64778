import { matrixFromAxisAngle, multiplyMatrices, transformVector, type Matrix3 } from '../math/rotation.ts';
import type { HeadModel, Joint } from './head-model.ts';
import type { HeadPose } from './pose.ts';

/**
 * The head model on the host, without learned deltas: what trackers, renderers of synthetic subjects and mattes use.
 * The GPU's twin, with deltas and gradients, is `deformation/`.
 *
 * v = template + identityBasis·identity, e = v + P·(R − I) + E·expression, posed = Σ_j w_j (R_j·e + t_j) (FLAME's order:
 * blend in the rest frame, then skin).
 */

/** World transforms of all joints: a rest-frame point x on joint j goes to `rotations[j]·x + offsets[j]`. */
export interface JointTransforms {
  /** J row-major matrices, accumulated from the root. */
  readonly rotations: readonly Matrix3[];
  /** J×3 metres. */
  readonly offsets: Float64Array;
  /** J row-major matrices of each joint relative to its parent: what the pose correctives take. */
  readonly localRotations: readonly Matrix3[];
}

/** V×3 metres: the head with this identity and pose, in the space that `headTranslation` maps to (camera, for tracks). */
export function poseVertices(head: HeadModel, identityCoefficients: ArrayLike<number>, pose: HeadPose): Float32Array {
  const rest = identityVertices(head, identityCoefficients);
  return poseIdentityVertices(head, rest, jointPositions(head, rest), pose);
}

/** V×3 metres: template + identityBasis · coefficients. Fewer coefficients than the model has: the rest count as zero. */
export function identityVertices(head: HeadModel, identityCoefficients: ArrayLike<number>): Float32Array {
  const floats = head.vertexCount * 3;
  const available = head.identityBasis.length / floats;
  if (identityCoefficients.length > available) {
    throw new RangeError(
      `identityCoefficients has ${identityCoefficients.length} values, but head "${head.name}" has ${available}. ` +
        'Were they made for another head model?',
    );
  }
  const vertices = new Float32Array(head.templateVertices);
  addBasis(vertices, head.identityBasis, identityCoefficients);
  return vertices;
}

/** V×3 metres: the mesh with Δvertex, where there is one. Joints are regressed from the mesh without it. */
export function offsetVertices(vertices: Float32Array, vertexOffset?: Float32Array): Float32Array {
  return vertexOffset ? vertices.map((value, at) => value + vertexOffset[at]) : vertices;
}

/** J×3 metres: rest positions of the joints of an identity-shaped mesh (V×3). */
export function jointPositions(head: HeadModel, identityShapedVertices: ArrayLike<number>): Float64Array {
  const positions = new Float64Array(head.joints.length * 3);
  head.jointRegressor.forEach((row, joint) => {
    row.indices.forEach((vertex, i) => {
      for (let axis = 0; axis < 3; axis++) {
        positions[joint * 3 + axis] += row.weights[i] * identityShapedVertices[vertex * 3 + axis];
      }
    });
  });
  return positions;
}

/** The pose's axis-angle of each joint of a head, by name; the root's is `headRotation`. */
export function jointAxisAngles(joints: readonly Joint[], pose: HeadPose): Float32Array[] {
  const byName = {
    root: pose.headRotation,
    neck: pose.neckPose,
    jaw: pose.jawPose,
    leftEye: pose.leftEyePose,
    rightEye: pose.rightEyePose,
  };
  return joints.map((joint) => byName[joint.name]);
}

/** Walks the joints from the root. The root turns about the origin, not about its joint: camera = R·head + t. */
export function jointTransforms(
  joints: readonly Joint[],
  restPositions: ArrayLike<number>,
  pose: HeadPose,
): JointTransforms {
  const localRotations = jointAxisAngles(joints, pose).map((axisAngle) => matrixFromAxisAngle(axisAngle));
  const rotations: Matrix3[] = [];
  const offsets = new Float64Array(joints.length * 3);
  joints.forEach(({ parent }, joint) => {
    if (parent < 0) {
      rotations.push(localRotations[joint]);
      offsets.set(pose.headTranslation, joint * 3);
      return;
    }
    rotations.push(multiplyMatrices(rotations[parent], localRotations[joint]));
    // Turning about the rest position p: x → p + R(x − p), so the offset in the parent's frame is p − R·p.
    const [x, y, z] = [restPositions[joint * 3], restPositions[joint * 3 + 1], restPositions[joint * 3 + 2]];
    const turned = transformVector(localRotations[joint], x, y, z);
    const moved = transformVector(rotations[parent], x - turned[0], y - turned[1], z - turned[2]);
    for (let axis = 0; axis < 3; axis++) offsets[joint * 3 + axis] = offsets[parent * 3 + axis] + moved[axis];
  });
  return { rotations, offsets, localRotations };
}

/** `poseVertices` from an identity-shaped mesh (V×3) and its joints (J×3), to pose many frames of one identity. */
export function poseIdentityVertices(
  head: HeadModel,
  identityShapedVertices: Float32Array,
  restPositions: ArrayLike<number>,
  pose: HeadPose,
): Float32Array {
  const expressionCount = head.expressionNames.length;
  if (pose.expressionCoefficients.length !== expressionCount) {
    throw new RangeError(
      `pose.expressionCoefficients has ${pose.expressionCoefficients.length} values, but head "${head.name}" has ` +
        `${expressionCount} expressions. Were they made for another head model?`,
    );
  }
  const blended = new Float32Array(identityShapedVertices);
  addBasis(blended, head.expressionBasis, pose.expressionCoefficients);
  const transforms = jointTransforms(head.joints, restPositions, pose);
  if (head.poseCorrectives) addBasis(blended, head.poseCorrectives, poseFeatures(transforms.localRotations));
  return skinVertices(blended, head.skinningWeights, transforms);
}

/** (J−1)·9: entries of R_j − I of every joint but the root, row-major: the coefficients of the pose correctives. */
export function poseFeatures(localRotations: readonly Matrix3[]): Float64Array {
  const features = new Float64Array((localRotations.length - 1) * 9);
  localRotations.slice(1).forEach((rotation, joint) => {
    rotation.forEach((value, i) => {
      features[joint * 9 + i] = value - (i % 4 === 0 ? 1 : 0);
    });
  });
  return features;
}

/** Linear blend skinning of V×3 rest-frame vertices. */
export function skinVertices(
  vertices: Float32Array,
  skinningWeights: Float32Array,
  { rotations, offsets }: JointTransforms,
): Float32Array {
  const posed = new Float32Array(vertices.length);
  const jointCount = rotations.length;
  for (let vertex = 0; vertex * 3 < vertices.length; vertex++) {
    const [x, y, z] = [vertices[vertex * 3], vertices[vertex * 3 + 1], vertices[vertex * 3 + 2]];
    let [sumX, sumY, sumZ] = [0, 0, 0];
    for (let joint = 0; joint < jointCount; joint++) {
      const weight = skinningWeights[vertex * jointCount + joint];
      if (weight === 0) continue;
      const m = rotations[joint];
      sumX += weight * (m[0] * x + m[1] * y + m[2] * z + offsets[joint * 3]);
      sumY += weight * (m[3] * x + m[4] * y + m[5] * z + offsets[joint * 3 + 1]);
      sumZ += weight * (m[6] * x + m[7] * y + m[8] * z + offsets[joint * 3 + 2]);
    }
    posed[vertex * 3] = sumX;
    posed[vertex * 3 + 1] = sumY;
    posed[vertex * 3 + 2] = sumZ;
  }
  return posed;
}

/** target += Σ_k coefficient_k · basis_k. */
function addBasis(target: Float32Array, basis: Float32Array, coefficients: ArrayLike<number>): void {
  const floats = target.length;
  for (let k = 0; k < coefficients.length; k++) {
    const coefficient = coefficients[k];
    if (coefficient === 0) continue;
    const start = k * floats;
    for (let i = 0; i < floats; i++) target[i] += coefficient * basis[start + i];
  }
}
