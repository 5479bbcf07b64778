import {
  matrixFromAxisAngle,
  matrixFromAxisAngleDerivatives,
  multiplyMatrices,
  transformVector,
  transposeMatrix,
  type Matrix3,
} from '../../math/rotation.ts';
import { JOINT_NAMES, type HeadModel } from '../head-model.ts';
import { POSE_JOINT_FLOATS } from '../pose.ts';
import type { BlendSupport } from './blend-support.ts';
import { FEATURE_FLOATS } from './layout.ts';

/**
 * FATE eq 5 in float64 with plain loops, forward and backward; what the kernels are tested against. Everything is a
 * plain array: V×3 vertices, M×3 deltas (by `support`), one pose record (`packPose`), J×3 joint positions.
 */
export interface DeformationInputs {
  readonly pose: Float64Array;
  readonly vertexOffset: Float64Array;
  readonly deltas: Float64Array;
  readonly identityVertices: Float64Array;
  readonly jointPositions: Float64Array;
}

export interface DeformationOutputs {
  readonly posedVertices: Float64Array;
  readonly vertexDifference: Float64Array;
}

/** template + identityBasis · coefficients, and the joints of that mesh. */
export function blendIdentityReference(
  head: HeadModel,
  coefficients: Float64Array,
): { identityVertices: Float64Array; jointPositions: Float64Array } {
  const floats = head.vertexCount * 3;
  const identityVertices = Float64Array.from(head.templateVertices, (value, at) => {
    let sum = value;
    coefficients.forEach((coefficient, i) => (sum += coefficient * head.identityBasis[i * floats + at]));
    return sum;
  });
  const jointPositions = new Float64Array(head.joints.length * 3);
  eachRegressorWeight(head, (joint, vertex, weight) => {
    for (let axis = 0; axis < 3; axis++) {
      jointPositions[joint * 3 + axis] += weight * identityVertices[vertex * 3 + axis];
    }
  });
  return { identityVertices, jointPositions };
}

/** ∂loss/∂coefficients from the gradients of both outputs. */
export function blendIdentityReferenceBackward(
  head: HeadModel,
  gradients: { identityVertices: Float64Array; jointPositions: Float64Array },
): Float64Array {
  const vertexGradient = Float64Array.from(gradients.identityVertices);
  eachRegressorWeight(head, (joint, vertex, weight) => {
    for (let axis = 0; axis < 3; axis++) {
      vertexGradient[vertex * 3 + axis] += weight * gradients.jointPositions[joint * 3 + axis];
    }
  });
  return Float64Array.from({ length: head.identityNames.length }, (_, i) =>
    vertexGradient.reduce((sum, value, at) => sum + value * head.identityBasis[i * vertexGradient.length + at], 0),
  );
}

function eachRegressorWeight(head: HeadModel, visit: (joint: number, vertex: number, weight: number) => void): void {
  head.jointRegressor.forEach((row, joint) => {
    row.indices.forEach((vertex, i) => visit(joint, vertex, row.weights[i]));
  });
}

interface Skeleton {
  readonly axisAngles: readonly Float64Array[];
  readonly local: readonly Matrix3[];
  readonly world: readonly Matrix3[];
  readonly offsets: readonly Float64Array[];
  /** Blend coefficients: expressions, then R − I of every joint but the root. */
  readonly coefficients: Float64Array;
}

function walkJoints(head: HeadModel, pose: Float64Array, jointPositions: Float64Array): Skeleton {
  const axisAngles = head.joints.map(({ name }) => pose.slice(3 + 3 * JOINT_NAMES.indexOf(name)).slice(0, 3));
  const local = axisAngles.map((axisAngle) => matrixFromAxisAngle(axisAngle));
  const world: Matrix3[] = [];
  const offsets: Float64Array[] = [];
  head.joints.forEach(({ parent }, joint) => {
    if (parent < 0) {
      world.push(local[joint]);
      offsets.push(pose.slice(0, 3));
      return;
    }
    world.push(multiplyMatrices(world[parent], local[joint]));
    const lever = leverOf(jointPositions, joint, local[joint]);
    const moved = transformVector(world[parent], lever[0], lever[1], lever[2]);
    offsets.push(offsets[parent].map((value, axis) => value + moved[axis]));
  });
  const features = local.slice(1).flatMap((matrix) => Array.from(matrix, (value, i) => value - (i % 4 === 0 ? 1 : 0)));
  return {
    axisAngles,
    local,
    world,
    offsets,
    coefficients: Float64Array.of(...pose.slice(POSE_JOINT_FLOATS), ...features),
  };
}

/** p − R·p: how far turning about joint position p moves the origin. */
function leverOf(jointPositions: Float64Array, joint: number, rotation: Matrix3): Float64Array {
  const [x, y, z] = jointPositions.slice(joint * 3, joint * 3 + 3);
  const turned = transformVector(rotation, x, y, z);
  return Float64Array.of(x - turned[0], y - turned[1], z - turned[2]);
}

function blend(
  support: BlendSupport,
  inputs: DeformationInputs,
  coefficients: Float64Array,
): { blended: Float64Array; difference: Float64Array } {
  const difference = Float64Array.from(inputs.vertexOffset);
  const blended = Float64Array.from(inputs.identityVertices, (value, i) => value + difference[i]);
  for (let entry = 0; entry < support.entryCount; entry++) {
    const coefficient = coefficients[support.coefficients[entry]];
    for (let axis = 0; axis < 3; axis++) {
      const at = support.vertices[entry] * 3 + axis;
      const delta = inputs.deltas[entry * 3 + axis];
      difference[at] += coefficient * delta;
      blended[at] += coefficient * (support.displacements[entry * 3 + axis] + delta);
    }
  }
  return { blended, difference };
}

/** Posed vertices, and what the deltas add in the rest frame. */
export function deformReference(head: HeadModel, support: BlendSupport, inputs: DeformationInputs): DeformationOutputs {
  const { world, offsets, coefficients } = walkJoints(head, inputs.pose, inputs.jointPositions);
  const { blended, difference } = blend(support, inputs, coefficients);
  const posedVertices = new Float64Array(blended.length);
  eachSkinningWeight(head, (vertex, joint, weight) => {
    const [x, y, z] = blended.slice(vertex * 3, vertex * 3 + 3);
    const turned = transformVector(world[joint], x, y, z);
    for (let axis = 0; axis < 3; axis++) {
      posedVertices[vertex * 3 + axis] += weight * (turned[axis] + offsets[joint][axis]);
    }
  });
  return { posedVertices, vertexDifference: difference };
}

/**
 * ∂loss/∂inputs. The pose and identity get the posed vertices' gradient alone; that of `vertexDifference` goes to the
 * deltas and the vertex offset only (a penalty on deltas must not move the pose).
 */
export function deformReferenceBackward(
  head: HeadModel,
  support: BlendSupport,
  inputs: DeformationInputs,
  gradients: DeformationOutputs,
): DeformationInputs {
  const skeleton = walkJoints(head, inputs.pose, inputs.jointPositions);
  const { blended } = blend(support, inputs, skeleton.coefficients);
  const blendedGradient = new Float64Array(blended.length);
  const worldGradients = head.joints.map(() => new Float64Array(9));
  const offsetGradients = head.joints.map(() => new Float64Array(3));
  eachSkinningWeight(head, (vertex, joint, weight) => {
    const g = gradients.posedVertices.slice(vertex * 3, vertex * 3 + 3).map((value) => weight * value);
    const back = transformVector(transposeMatrix(skeleton.world[joint]), g[0], g[1], g[2]);
    for (let axis = 0; axis < 3; axis++) {
      blendedGradient[vertex * 3 + axis] += back[axis];
      offsetGradients[joint][axis] += g[axis];
      for (let column = 0; column < 3; column++) {
        worldGradients[joint][axis * 3 + column] += g[axis] * blended[vertex * 3 + column];
      }
    }
  });
  const coefficientGradient = new Float64Array(support.coefficientCount);
  const deltaGradient = new Float64Array(support.entryCount * 3);
  const vertexOffsetGradient = blendedGradient.map((value, i) => value + gradients.vertexDifference[i]);
  for (let entry = 0; entry < support.entryCount; entry++) {
    const coefficient = support.coefficients[entry];
    for (let axis = 0; axis < 3; axis++) {
      const at = support.vertices[entry] * 3 + axis;
      const i = entry * 3 + axis;
      coefficientGradient[coefficient] += (support.displacements[i] + inputs.deltas[i]) * blendedGradient[at];
      deltaGradient[i] = skeleton.coefficients[coefficient] * vertexOffsetGradient[at];
    }
  }
  const joints = walkJointsBackward(head, inputs, skeleton, { worldGradients, offsetGradients, coefficientGradient });
  return { ...joints, vertexOffset: vertexOffsetGradient, deltas: deltaGradient, identityVertices: blendedGradient };
}

function walkJointsBackward(
  head: HeadModel,
  { pose, jointPositions }: DeformationInputs,
  { axisAngles, local, world }: Skeleton,
  gradients: { worldGradients: Float64Array[]; offsetGradients: Float64Array[]; coefficientGradient: Float64Array },
): { pose: Float64Array; jointPositions: Float64Array } {
  const { worldGradients, offsetGradients, coefficientGradient } = gradients;
  const expressionCount = pose.length - POSE_JOINT_FLOATS;
  const poseGradient = new Float64Array(pose.length);
  const jointGradient = new Float64Array(jointPositions.length);
  poseGradient.set(coefficientGradient.slice(0, expressionCount), POSE_JOINT_FLOATS);
  for (let joint = head.joints.length - 1; joint >= 0; joint--) {
    const { name, parent } = head.joints[joint];
    let localGradient = worldGradients[joint];
    if (parent < 0) {
      poseGradient.set(offsetGradients[joint], 0);
    } else {
      const fromParent = transposeMatrix(world[parent]);
      const position = jointPositions.slice(joint * 3, joint * 3 + 3);
      const offset = transformVector(
        fromParent,
        offsetGradients[joint][0],
        offsetGradients[joint][1],
        offsetGradients[joint][2],
      );
      const first = expressionCount + (joint - 1) * FEATURE_FLOATS;
      localGradient = multiplyMatrices(fromParent, worldGradients[joint]).map(
        (value, i) => value - offset[Math.floor(i / 3)] * position[i % 3] + coefficientGradient[first + i],
      );
      const turnedBack = transformVector(transposeMatrix(local[joint]), offset[0], offset[1], offset[2]);
      jointGradient.set(
        offset.map((value, axis) => value - turnedBack[axis]),
        joint * 3,
      );
      const fromChild = multiplyMatrices(worldGradients[joint], transposeMatrix(local[joint]));
      const lever = leverOf(jointPositions, joint, local[joint]);
      for (let i = 0; i < 9; i++) {
        worldGradients[parent][i] += fromChild[i] + offsetGradients[joint][Math.floor(i / 3)] * lever[i % 3];
      }
      for (let axis = 0; axis < 3; axis++) offsetGradients[parent][axis] += offsetGradients[joint][axis];
    }
    matrixFromAxisAngleDerivatives(axisAngles[joint]).forEach((derivative, k) => {
      poseGradient[3 + 3 * JOINT_NAMES.indexOf(name) + k] = derivative.reduce(
        (sum, value, i) => sum + value * localGradient[i],
        0,
      );
    });
  }
  return { pose: poseGradient, jointPositions: jointGradient };
}

function eachSkinningWeight(head: HeadModel, visit: (vertex: number, joint: number, weight: number) => void): void {
  const jointCount = head.joints.length;
  head.skinningWeights.forEach((weight, i) => {
    if (weight !== 0) visit(Math.floor(i / jointCount), i % jointCount, weight);
  });
}
