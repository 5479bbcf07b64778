import type { HeadModel, RegionName } from '../head/head-model.ts';
import type { Image } from '../video/frame.ts';
import type { FaceMap } from './face-map.ts';
import { createNoise, fractal, mix, smoothstep } from './noise.ts';
import { paintAtlas } from './surface-texels.ts';

type Rgb = readonly [number, number, number];

/** Colours of a person, sRGB-encoded 0…1. */
export interface Complexion {
  readonly skin: Rgb;
  /** What blood adds: cheeks, nose, ears, lids. */
  readonly blush: Rgb;
  readonly lips: Rgb;
  readonly hair: Rgb;
  readonly iris: Rgb;
  /** 0…1. */
  readonly stubble: number;
  readonly freckles: number;
}

export const COMPLEXION: Complexion = {
  skin: [0.85, 0.665, 0.56],
  blush: [0.84, 0.5, 0.44],
  lips: [0.7, 0.385, 0.37],
  hair: [0.23, 0.145, 0.09],
  iris: [0.32, 0.45, 0.5],
  stubble: 0.45,
  freckles: 0.5,
};

/** Millimetres are the natural unit of skin. */
const MM = 0.001;

/** The albedo of everything but the eyeballs, size² in the head's own atlas. */
export function paintSkin(head: HeadModel, face: FaceMap, complexion: Complexion, seed: number, size: number): Image {
  const triangles = [...head.triangleRegions.keys()].filter(
    (t) => !/Eyeball/.test(head.regionNames[head.triangleRegions[t]]),
  );
  const skin = createSkinColor(face, complexion, seed);
  const inside = createInsideColor(seed);
  return paintAtlas(head, triangles, size, ({ x, y, z, triangle, wa, wb, wc }, out) => {
    const region = head.regionNames[head.triangleRegions[triangle]];
    const [a, b, c] = head.triangles.subarray(triangle * 3, triangle * 3 + 3);
    const depth = wa * face.scalpDepth[a] + wb * face.scalpDepth[b] + wc * face.scalpDepth[c];
    if (INSIDE.has(region)) inside(region, x, y, z, out);
    else skin(region, x, y, z, depth, out);
  });
}

const INSIDE = new Set<RegionName>([
  'mouthCavity',
  'gums',
  'tongue',
  'upperTeeth',
  'lowerTeeth',
  'leftEyeSocket',
  'rightEyeSocket',
]);

function createInsideColor(
  seed: number,
): (region: RegionName, x: number, y: number, z: number, out: Float32Array) => void {
  const noise = fractal(createNoise(seed + 11), 3);
  const colors: Partial<Record<RegionName, Rgb>> = {
    mouthCavity: [0.36, 0.13, 0.12], gums: [0.7, 0.4, 0.4], tongue: [0.72, 0.42, 0.42],
    upperTeeth: [0.9, 0.87, 0.8], lowerTeeth: [0.87, 0.83, 0.75], leftEyeSocket: [0.62, 0.36, 0.33], rightEyeSocket: [0.62, 0.36, 0.33],
  }; // prettier-ignore
  return (region, x, y, z, out) => {
    const tone = 1 + 0.06 * noise(x / (3 * MM), y / (3 * MM), z / (3 * MM));
    colors[region]!.forEach((value, k) => (out[k] = value * tone));
  };
}

function createSkinColor(face: FaceMap, complexion: Complexion, seed: number) {
  const noise = createNoise(seed);
  const soft = fractal(noise, 4);
  const spots = createSpots(seed + 3);
  const cheeks = [50, 280].map(face.at);
  const [nose, chin, forehead] = [face.at(4), face.at(152), face.at(10)];
  const [noseBase, mouthRight, mouthLeft] = [face.at(2), face.at(61), face.at(291)];
  const eyes = [face.at(145), face.at(374)];
  const brow = face.at(105);
  const near = (point: Rgb, x: number, y: number, z: number, radius: number): number =>
    Math.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2 + (z - point[2]) ** 2) / (radius * radius));
  const color = new Float32Array(3);
  const blend = (target: Rgb, share: number): void => {
    for (let k = 0; k < 3; k++) color[k] = mix(color[k], target[k], share);
  };

  return (region: RegionName, x: number, y: number, z: number, scalpDepth: number, out: Float32Array): void => {
    const isFrontal = z > cheeks[0][2] - 0.035 && region !== 'neck' && region !== 'scalp';
    color.set(complexion.skin);
    // Large patches of warmer and cooler, lighter and darker skin; then pores.
    const patch = soft(x / (18 * MM), y / (18 * MM), z / (18 * MM));
    const warm = soft(x / (9 * MM) + 40, y / (9 * MM), z / (9 * MM));
    const pores = noise(x / (0.9 * MM), y / (0.9 * MM), z / (0.9 * MM));
    const tone = 1 + 0.05 * patch + 0.022 * pores;
    color[0] *= tone * (1 + 0.015 * warm);
    color[1] *= tone * (1 - 0.02 * warm);
    color[2] *= tone * (1 - 0.035 * warm);

    let blush = 0.36 * Math.max(near(cheeks[0], x, y, z, 0.022), near(cheeks[1], x, y, z, 0.022));
    blush += 0.4 * near(nose, x, y, z, 0.014) + 0.25 * near(chin, x, y, z, 0.02);
    if (region === 'leftEar' || region === 'rightEar') blush += 0.4 + 0.2 * warm;
    blend(complexion.blush, Math.min(0.75, blush * (0.8 + 0.4 * patch)));
    // The forehead and the neck are a little paler, the hollows under the eyes a little darker and cooler.
    blend([0.87, 0.71, 0.61], 0.2 * near(forehead, x, y, z, 0.04));
    if (isFrontal) {
      const hollow = Math.max(...eyes.map((eye) => near([eye[0], eye[1] - 0.008, eye[2]], x, y, z, 0.011)));
      blend([0.62, 0.43, 0.41], 0.3 * hollow);
    }
    const freckles =
      spots(x, y, z, 2.6 * MM) *
      (near(nose, x, y, z, 0.03) + Math.max(near(cheeks[0], x, y, z, 0.03), near(cheeks[1], x, y, z, 0.03)));
    blend([0.55, 0.34, 0.24], Math.min(0.55, complexion.freckles * freckles));
    blend([0.36, 0.2, 0.15], 0.8 * spots(x + 7, y, z, 21 * MM));
    blendStubble();
    if (isFrontal) {
      blendLips();
      blendBrows();
      blendLids();
    }
    blendHairRoots();
    out.set(color);

    function blendStubble(): void {
      if (complexion.stubble === 0 || z < -0.01) return;
      // Upper lip, chin, jaw: below a line that rises from the mouth's corners to the ears.
      const beardTop =
        noseBase[1] -
        0.004 +
        0.25 * Math.max(0, Math.abs(x) - 0.03) -
        0.35 * Math.max(0, 0.022 - Math.abs(Math.abs(x) - 0.034));
      const share =
        smoothstep(beardTop + 0.004, beardTop - 0.01, y) *
        smoothstep(chin[1] - 0.045, chin[1] - 0.01, y) *
        smoothstep(-0.01, 0.035, z);
      const grain = 0.5 + 0.5 * noise(x / (1.1 * MM), y / (1.1 * MM) + 90, z / (1.1 * MM));
      blend([0.45, 0.36, 0.33], complexion.stubble * share * (0.3 + 0.7 * grain * grain) * (0.75 + 0.4 * patch));
    }

    function blendLips(): void {
      if (Math.abs(y - mouthRight[1]) > 0.04 || Math.abs(x) > mouthLeft[0] + 0.01 || z < mouthLeft[2] - 0.02) return;
      const distance = face.lips(x, y) + 0.5 * MM * warm;
      const share = smoothstep(1.1 * MM, -1.4 * MM, distance);
      const wrinkles = noise(x / (0.9 * MM), y / (5 * MM), z / (5 * MM));
      const fold = Math.exp(-((face.mouthLine(x, y) / (1.6 * MM)) ** 2));
      const [r, g, b] = complexion.lips;
      const shade = 1 + 0.06 * wrinkles + 0.05 * patch;
      blend([r * shade, g * shade, b * shade], 0.92 * share);
      blend([0.32, 0.13, 0.13], 0.6 * fold * share);
    }

    function blendBrows(): void {
      const side = x > 0 ? 'left' : 'right';
      if (y < brow[1] - 0.025 || y > brow[1] + 0.025) return;
      const distance = face.brow(side, x, y);
      if (distance > 4 * MM) return;
      // Hairs lean outwards and up near the nose, outwards and down at the temple.
      const lean = Math.abs(x) / MM - 0.45 * (y / MM);
      const hairs = 0.5 + 0.5 * noise(lean / 0.75, (y / MM + 0.8 * Math.abs(x / MM)) / 4.5, side === 'left' ? 3 : 8);
      const share = smoothstep(1.6 * MM, -2.4 * MM, distance + 1.3 * MM * (hairs - 0.5));
      const dark = complexion.hair.map((value) => value * 0.85) as unknown as Rgb;
      blend(dark, 0.9 * share * (0.5 + 0.5 * hairs));
    }

    function blendLids(): void {
      const eye = eyes[x > 0 ? 1 : 0];
      if (Math.abs(y - eye[1]) > 0.03 || Math.abs(x - eye[0]) > 0.035) return;
      const upper = face.upperLid(x, y, z);
      const lower = face.lowerLid(x, y, z);
      if (Math.min(upper, lower) > 6 * MM) return;
      blend([0.72, 0.47, 0.42], 0.35 * smoothstep(6 * MM, 1 * MM, Math.min(upper, lower)));
      const lashes = 0.7 + 0.3 * noise(x / (0.6 * MM), y / (3 * MM), z / (3 * MM));
      blend([0.1, 0.065, 0.05], 0.95 * lashes * smoothstep(1.7 * MM, 0.5 * MM, upper));
      blend([0.62, 0.38, 0.35], 0.8 * smoothstep(1.0 * MM, 0.4 * MM, lower));
      blend([0.2, 0.12, 0.1], 0.4 * lashes * smoothstep(0.7 * MM, 0, Math.abs(lower - 1.1 * MM)));
    }

    function blendHairRoots(): void {
      const ragged = scalpDepth + 2.5 * MM * warm + 1.2 * MM * pores;
      const strands = 0.75 + 0.25 * noise(x / (1.2 * MM), y / (6 * MM), z / (6 * MM));
      blend(complexion.hair, strands * smoothstep(-5 * MM, 4 * MM, ragged));
    }
  };
}

/** 0…1 dots, one per cell at a random place in it, of random strength. */
function createSpots(seed: number): (x: number, y: number, z: number, spacing: number) => number {
  const strength = createNoise(seed);
  const offset = createNoise(seed + 1);
  return (x, y, z, spacing) => {
    const cell = [x, y, z].map((value) => Math.floor(value / spacing));
    const centre = cell.map(
      (value, k) => (value + 0.5 + 0.25 * offset(cell[0] * 3.1 + k * 17, cell[1] * 5.3, cell[2] * 7.7)) * spacing,
    );
    const chance = strength(cell[0] * 1.7, cell[1] * 2.3, cell[2] * 3.9);
    const distance = Math.hypot(x - centre[0], y - centre[1], z - centre[2]);
    return chance > 0.15
      ? chance * smoothstep(0.45 * Math.min(spacing, 3 * MM), 0.1 * Math.min(spacing, 3 * MM), distance)
      : 0;
  };
}
