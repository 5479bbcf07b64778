import type { HeadModel, RegionName } from '../head/head-model.ts';

/** Linear interpolation targets for what no frame shows; sRGB-encoded. Null: like the skin or hair next to it. */
const INNER_COLORS: Partial<Record<RegionName, readonly [number, number, number]>> = {
  mouthCavity: [0.22, 0.09, 0.08],
  gums: [0.62, 0.32, 0.31],
  tongue: [0.62, 0.33, 0.32],
  upperTeeth: [0.84, 0.81, 0.75],
  lowerTeeth: [0.78, 0.75, 0.69],
  leftEyeball: [0.82, 0.8, 0.78],
  rightEyeball: [0.82, 0.8, 0.78],
  leftEyeSocket: [0.3, 0.17, 0.15],
  rightEyeSocket: [0.3, 0.17, 0.15],
};
const GREY = [0.5, 0.5, 0.5] as const;

/** The colour that a Gaussian starts with: grey as in the paper, but what hides in mouth and eyes looks like itself. */
export function initialRgb(region: RegionName): readonly [number, number, number] {
  return INNER_COLORS[region] ?? GREY;
}

/** Surfaces that continue each other: what is unseen of one looks like what is seen of it. */
export type SurfaceGroup = 'skin' | 'hair' | 'neck';

/** The group of each triangle, or null inside mouth and eyes. */
export function surfaceGroups(head: HeadModel): (SurfaceGroup | null)[] {
  const groupOf = (region: RegionName): SurfaceGroup | null => {
    if (region === 'scalp') return 'hair';
    if (region === 'neck') return 'neck';
    return INNER_COLORS[region] ? null : 'skin';
  };
  return [...head.triangleRegions].map((region) => groupOf(head.regionNames[region]!));
}

/** T: 1 where Gaussians belong on the surface, 0 on the neck, whose mesh ends in shoulders that nobody has fitted. */
export function surfaceHold(head: HeadModel): Float32Array {
  return Float32Array.from(head.triangleRegions, (region) => (head.regionNames[region] === 'neck' ? 0 : 1));
}

/** T: 1 on lids and lips, which open and close: what the pictures made faint there has to be. */
export function foldingTriangles(head: HeadModel): Uint8Array {
  const folding: readonly RegionName[] = ['lips', 'leftEyelids', 'rightEyelids'];
  return head.triangleRegions.map((region) => (folding.includes(head.regionNames[region]!) ? 1 : 0));
}
