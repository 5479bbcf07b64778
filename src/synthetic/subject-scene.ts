import type { HeadModel } from '../head/head-model.ts';
import type { HeadPose } from '../head/pose.ts';
import { identityVertices, jointPositions, jointTransforms, poseIdentityVertices } from '../head/pose-vertices.ts';
import {
  axisAngleFromMatrix,
  matrixFromAxisAngle,
  multiplyMatrices,
  transformVector,
  transposeMatrix,
  type Matrix3,
} from '../math/rotation.ts';
import { ambientOcclusion } from './ambient-occlusion.ts';
import { eyeballTriangles, paintEyes } from './eye-paint.ts';
import { createFaceMap } from './face-map.ts';
import { createHair, type Hair } from './hair.ts';
import type { MeshPart, MeshRenderer } from './mesh-renderer.ts';
import { mix, smoothstep } from './noise.ts';
import { COMPLEXION, paintSkin, type Complexion } from './skin-paint.ts';
import { createTorso, type Torso } from './torso.ts';

export interface SubjectLook {
  readonly complexion?: Complexion;
  readonly clothing?: readonly [number, number, number];
  /** Side of the textures in texels. */
  readonly textureSize?: number;
}

/** A made person: give a pose, get what to draw. */
export interface SubjectScene {
  readonly identityCoefficients: Float32Array;
  /** What belongs to the head (skin, eyes, hair), posed. */
  headParts(pose: HeadPose): MeshPart[];
  /** Clothing, which follows the root a little. */
  torsoParts(pose: HeadPose): MeshPart[];
}

/** Turns with the shoulders when the root turns. */
const TORSO_SHARE = 0.35;
const FACING_BACK = transposeMatrix(matrixFromAxisAngle([Math.PI, 0, 0]));

/** Paints skin, eyes and hair for a head; takes some seconds. The same arguments give the same subject. */
export async function createSubjectScene(
  renderer: MeshRenderer,
  head: HeadModel,
  identityCoefficients: Float32Array,
  seed: number,
  { complexion = COMPLEXION, clothing = [0.23, 0.29, 0.36], textureSize = 1024 }: SubjectLook = {},
): Promise<SubjectScene> {
  const face = createFaceMap(head);
  const rest = identityVertices(head, identityCoefficients);
  const joints = jointPositions(head, rest);
  const hair = createHair(head, face, complexion, seed, textureSize);
  const torso = createTorso(rest, clothing, seed);
  const eyes = takeTriangles(head, eyeballTriangles(head));
  const skin = takeTriangles(
    head,
    [...head.triangleRegions.keys()].filter((t) => !/Eyeball/.test(head.regionNames[head.triangleRegions[t]])),
  );
  const skinMaterial = {
    albedo: paintSkin(head, face, complexion, seed, textureSize),
    vertexColors: occlusionColors(head, await ambientOcclusion(renderer, head)),
    gloss: skin.triangles.length ? glossOf(head, skin.selected) : 0,
    shininess: 14,
  };
  const eyeAlbedo = paintEyes(head, complexion, seed, textureSize);
  const hairCarriers = hair.carriers;

  return {
    identityCoefficients,
    headParts(pose) {
      const vertices = poseIdentityVertices(head, rest, joints, pose);
      const { rotations } = jointTransforms(head.joints, joints, pose);
      const neck = rotations[head.joints.findIndex(({ name }) => name === 'neck')];
      const mesh = { vertices, uvs: head.uvs };
      return [
        { mesh: { ...mesh, triangles: skin.triangles, uvTriangles: skin.uvTriangles }, material: skinMaterial },
        {
          mesh: { ...mesh, triangles: eyes.triangles, uvTriangles: eyes.uvTriangles },
          material: {
            albedo: eyeAlbedo,
            vertexColors: lidShadow(head, vertices, rotations, joints, pose),
            gloss: 0.9,
            shininess: 220,
          },
        },
        ...hairParts(head, hair, hairCarriers, vertices, neck),
      ];
    },
    torsoParts: (pose) => [torsoPart(torso, pose)],
  };
}

interface TakenTriangles {
  readonly selected: readonly number[];
  readonly triangles: Uint32Array;
  readonly uvTriangles: Uint32Array;
}

function takeTriangles(head: HeadModel, selected: readonly number[]): TakenTriangles {
  const take = (array: Uint32Array): Uint32Array =>
    Uint32Array.from(selected.flatMap((t) => [...array.subarray(t * 3, t * 3 + 3)]));
  return { selected, triangles: take(head.triangles), uvTriangles: take(head.uvTriangles) };
}

/** Lips and teeth are wet, noses and foreheads a little oily, all else matt. */
function glossOf(head: HeadModel, triangles: readonly number[]): Float32Array {
  return Float32Array.from(triangles, (t) => {
    const region = head.regionNames[head.triangleRegions[t]];
    if (/Teeth|tongue|gums/.test(region)) return 0.25;
    if (region === 'lips') return 0.09;
    return region === 'face' ? 0.05 : 0.03;
  });
}

/** V×3 factors; blood lets red light through where little gets in. */
function occlusionColors(head: HeadModel, open: Float32Array): Float32Array {
  const colors = new Float32Array(head.vertexCount * 3);
  const floor = new Float32Array(head.vertexCount).fill(0.22);
  for (let triangle = 0; triangle < head.triangleCount; triangle++) {
    const region = head.regionNames[head.triangleRegions[triangle]];
    const least = /Teeth/.test(region)
      ? 0.6
      : /tongue|gums/.test(region)
        ? 0.35
        : region === 'mouthCavity'
          ? 0.08
          : 0.22;
    for (let k = 0; k < 3; k++) floor[head.triangles[triangle * 3 + k]] = least;
  }
  for (let v = 0; v < head.vertexCount; v++) {
    // Half of the sky is hidden from nobody's cheek: full light from 80 % on.
    const light = mix(floor[v], 1, smoothstep(0, 0.85, open[v]));
    colors[v * 3] = light ** 0.36;
    colors[v * 3 + 1] = light ** 0.45;
    colors[v * 3 + 2] = light ** 0.48;
  }
  return colors;
}

/** V×3: the upper lid and the lashes shade the eyeball from above, whichever way it looks. */
function lidShadow(
  head: HeadModel,
  vertices: Float32Array,
  rotations: readonly Matrix3[],
  joints: Float64Array,
  pose: HeadPose,
): Float32Array {
  const colors = new Float32Array(head.vertexCount * 3).fill(1);
  const neckIndex = head.joints.findIndex(({ name }) => name === 'neck');
  const up = [rotations[neckIndex][1], rotations[neckIndex][4], rotations[neckIndex][7]];
  const blinkOf = (side: string): number =>
    pose.expressionCoefficients[head.expressionNames.indexOf(`eyeBlink${side}`)] ?? 0;
  for (const side of ['left', 'right'] as const) {
    const joint = head.joints.findIndex(({ name }) => name === `${side}Eye`);
    const region = head.regionNames.indexOf(`${side}Eyeball`);
    const members = new Set<number>();
    head.triangleRegions.forEach(
      (value, t) => value === region && head.triangles.subarray(t * 3, t * 3 + 3).forEach((v) => members.add(v)),
    );
    const blink = blinkOf(side === 'left' ? 'Left' : 'Right');
    const centre = [0, 1, 2].map(
      (axis) => [...members].reduce((sum, v) => sum + vertices[v * 3 + axis], 0) / members.size,
    );
    const radius =
      Math.hypot(...[0, 1, 2].map((axis) => vertices[[...members][0] * 3 + axis] - centre[axis])) ||
      joints[joint * 3] ||
      1;
    for (const v of members) {
      const height =
        [0, 1, 2].reduce((sum, axis) => sum + (vertices[v * 3 + axis] - centre[axis]) * up[axis], 0) / radius;
      const shade =
        1 - 0.4 * smoothstep(0.05 - 0.3 * blink, 0.5 - 0.3 * blink, height) - 0.1 * smoothstep(-0.1, -0.45, height);
      colors.fill(shade, v * 3, v * 3 + 3);
    }
  }
  return colors;
}

function hairParts(
  head: HeadModel,
  hair: Hair,
  carriers: Uint32Array,
  posed: Float32Array,
  rotation: Matrix3,
): MeshPart[] {
  return hair.shells.map(({ offsets, albedo }, shell) => {
    const vertices = new Float32Array(carriers.length * 3);
    carriers.forEach((carrier, i) => {
      const offset = transformVector(rotation, offsets[i * 3], offsets[i * 3 + 1], offsets[i * 3 + 2]);
      for (let axis = 0; axis < 3; axis++) vertices[i * 3 + axis] = posed[carrier * 3 + axis] + offset[axis];
    });
    return {
      mesh: { vertices, triangles: hair.triangles, uvs: head.uvs, uvTriangles: hair.uvTriangles },
      material: { albedo, gloss: shell === 0 ? 0 : 0.06, shininess: 11 },
    };
  });
}

function torsoPart({ mesh, vertexColors, collar }: Torso, pose: HeadPose): MeshPart {
  const root = matrixFromAxisAngle(pose.headRotation);
  const turn = axisAngleFromMatrix(multiplyMatrices(FACING_BACK, root));
  const rotation = multiplyMatrices(
    transposeMatrix(FACING_BACK),
    matrixFromAxisAngle(turn.map((value) => value * TORSO_SHARE)),
  );
  const anchor = transformVector(root, collar[0], collar[1], collar[2]);
  const vertices = new Float32Array(mesh.vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    const moved = transformVector(
      rotation,
      mesh.vertices[i] - collar[0],
      mesh.vertices[i + 1] - collar[1],
      mesh.vertices[i + 2] - collar[2],
    );
    for (let axis = 0; axis < 3; axis++) vertices[i + axis] = moved[axis] + anchor[axis] + pose.headTranslation[axis];
  }
  return { mesh: { ...mesh, vertices }, material: { vertexColors, gloss: 0.01, isDoubleSided: true } };
}
