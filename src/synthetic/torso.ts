import type { Mesh } from './mesh-corners.ts';
import { createNoise } from './noise.ts';

const AROUND = 64;

/** Rings from the collar's inner edge over the shoulders down; metres below and behind the collar's centre. */
const RINGS: readonly { readonly y: number; readonly z: number; readonly width: number; readonly depth: number }[] = [
  { y: -0.015, z: 0, width: 0.96, depth: 0.96 },
  { y: 0.004, z: 0, width: 1.02, depth: 1.02 },
  { y: 0.006, z: 0, width: 1.07, depth: 1.07 },
  { y: 0, z: 0, width: 1.12, depth: 1.12 },
  { y: -0.014, z: -0.002, width: 1.25, depth: 1.16 },
  { y: -0.026, z: -0.006, width: 1.7, depth: 1.22 },
  { y: -0.04, z: -0.01, width: 2.3, depth: 1.32 },
  { y: -0.056, z: -0.014, width: 2.9, depth: 1.45 },
  { y: -0.08, z: -0.018, width: 3.4, depth: 1.6 },
  { y: -0.13, z: -0.02, width: 3.7, depth: 1.8 },
  { y: -0.25, z: -0.02, width: 3.7, depth: 1.95 },
  { y: -0.5, z: -0.02, width: 3.5, depth: 1.95 },
];

export interface Torso {
  /** Head space at rest: the collar lies round the neck. */
  readonly mesh: Mesh;
  /** V×3 sRGB: a knitted pullover. */
  readonly vertexColors: Float32Array;
  /** Where the collar's centre lies, metres. */
  readonly collar: readonly [number, number, number];
}

/**
 * A pullover to set the neck on: loft of ellipses whose collar fits the neck's section at its lower end. Not part of the
 * head and of no matte: clothing is what the method leaves out.
 */
export function createTorso(skinVertices: Float32Array, color: readonly [number, number, number], seed: number): Torso {
  const collar = neckSection(skinVertices);
  const noise = createNoise(seed + 51);
  const vertices: number[] = [];
  const colors: number[] = [];
  for (const ring of RINGS) {
    for (let i = 0; i < AROUND; i++) {
      const angle = (i / AROUND) * 2 * Math.PI;
      // Shoulders are squarer than an ellipse and slope down from the neck.
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const x = collar.centre[0] + collar.halfWidth * ring.width * c;
      const z = collar.centre[2] + ring.z + collar.halfDepth * ring.depth * s;
      // The collar dips towards the throat, as the neck's own lower end does.
      const y = collar.centre[1] + ring.y - 0.012 * Math.max(0, s) * (ring.width < 1.3 ? 1 : 0.6);
      vertices.push(x, y, z);
      const knit = 1 + 0.1 * noise(angle * 40, ring.y * 300, 0) + 0.08 * Math.sin(angle * AROUND * 1.5);
      const isCollar = ring.width > 0.99 && ring.width < 1.15;
      for (const value of color) colors.push(value * knit * (isCollar ? 0.9 : 1));
    }
  }
  const triangles: number[] = [];
  for (let ring = 0; ring + 1 < RINGS.length; ring++) {
    for (let i = 0; i < AROUND; i++) {
      const [a, b] = [ring * AROUND + i, ring * AROUND + ((i + 1) % AROUND)];
      triangles.push(a, b, a + AROUND, b, b + AROUND, a + AROUND);
    }
  }
  return {
    mesh: { vertices: Float32Array.from(vertices), triangles: Uint32Array.from(triangles) },
    vertexColors: Float32Array.from(colors),
    collar: collar.centre,
  };
}

/** The neck near its lower end: the slab between 2 and 5 cm above the lowest skin. */
function neckSection(v: Float32Array): { centre: [number, number, number]; halfWidth: number; halfDepth: number } {
  let lowest = Infinity;
  for (let i = 1; i < v.length; i += 3) lowest = Math.min(lowest, v[i]);
  const box = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < v.length; i += 3) {
    if (v[i + 1] > lowest + 0.05 || v[i + 1] < lowest + 0.02) continue;
    box[0] = Math.min(box[0], v[i]);
    box[1] = Math.max(box[1], v[i]);
    box[2] = Math.min(box[2], v[i + 2]);
    box[3] = Math.max(box[3], v[i + 2]);
  }
  return {
    centre: [(box[0] + box[1]) / 2, lowest + 0.03, (box[2] + box[3]) / 2],
    halfWidth: (box[1] - box[0]) / 2 + 0.004,
    halfDepth: (box[3] - box[2]) / 2 + 0.004,
  };
}
