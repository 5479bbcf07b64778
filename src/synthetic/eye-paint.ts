import type { HeadModel } from '../head/head-model.ts';
import { jointPositions } from '../head/pose-vertices.ts';
import type { Image } from '../video/frame.ts';
import { createNoise, fractal, mix, smoothstep } from './noise.ts';
import type { Complexion } from './skin-paint.ts';
import { paintAtlas } from './surface-texels.ts';

/** Radii on the eyeball's surface, metres from its pole. */
const IRIS = 0.0059;
const PUPIL = 0.0021;

/** The albedo of the eyeballs in the head's atlas: white with veins, iris with fibres and dark rim, pupil. */
export function paintEyes(head: HeadModel, { iris }: Complexion, seed: number, size: number): Image {
  const triangles = eyeballTriangles(head);
  const joints = jointPositions(head, head.templateVertices);
  const fibres = createNoise(seed + 21);
  const veins = fractal(createNoise(seed + 22), 3);
  return paintAtlas(head, triangles, size, ({ x, y, z }, out) => {
    const joint = head.joints.findIndex(({ name }) => name === (x > 0 ? 'leftEye' : 'rightEye')) * 3;
    const [dx, dy, dz] = [x - joints[joint], y - joints[joint + 1], z - joints[joint + 2]];
    const radius = Math.hypot(dx, dy, dz);
    const fromPole = Math.atan2(Math.hypot(dx, dy), dz) * radius;
    const around = Math.atan2(dy, dx);
    const vein =
      Math.pow(Math.max(0, 1 - 9 * Math.abs(veins(x * 420, y * 420, z * 420))), 2) * smoothstep(IRIS, 0.013, fromPole);
    const [r, g, b] = [0.87 - 0.12 * vein, 0.83 - 0.36 * vein, 0.8 - 0.36 * vein];
    const fibre = fibres(Math.cos(around) * 9 + 50, Math.sin(around) * 9, fromPole * 260);
    const ring = smoothstep(PUPIL, IRIS, fromPole);
    const brown = smoothstep(0.35, 0.05, ring) * 0.55;
    const rim = smoothstep(0.8, 1, fromPole / IRIS);
    const irisColor = iris.map(
      (value, k) =>
        mix(value * (1 + 0.3 * fibre), [0.42, 0.27, 0.14][k], brown) * (1 - 0.75 * rim) * (0.75 + 0.4 * ring),
    );
    const inIris = smoothstep(IRIS + 0.0004, IRIS - 0.0003, fromPole);
    const inPupil = smoothstep(PUPIL + 0.0003, PUPIL - 0.0002, fromPole);
    [r, g, b].forEach((white, k) => (out[k] = mix(mix(white, irisColor[k], inIris), 0.02, inPupil)));
  });
}

export function eyeballTriangles(head: HeadModel): number[] {
  return [...head.triangleRegions.keys()].filter((t) => /Eyeball/.test(head.regionNames[head.triangleRegions[t]]));
}
