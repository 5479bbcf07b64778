import type { Chart } from './mesh-builder.ts';

/** Where each part lies in the texture atlas. Gaps of half a percent keep filters from bleeding. */
export const CHARTS = {
  face: { x: 0.005, y: 0.005, width: 0.6, height: 0.66 },
  skull: { x: 0.615, y: 0.005, width: 0.38, height: 0.66 },
  rightEar: { x: 0.005, y: 0.675, width: 0.19, height: 0.32 },
  leftEar: { x: 0.2, y: 0.675, width: 0.19, height: 0.32 },
  rightEyeball: { x: 0.4, y: 0.675, width: 0.15, height: 0.155 },
  leftEyeball: { x: 0.4, y: 0.84, width: 0.15, height: 0.155 },
  rightEyeSocket: { x: 0.56, y: 0.675, width: 0.1, height: 0.155 },
  leftEyeSocket: { x: 0.56, y: 0.84, width: 0.1, height: 0.155 },
  mouthCavity: { x: 0.67, y: 0.675, width: 0.14, height: 0.155 },
  tongue: { x: 0.67, y: 0.84, width: 0.14, height: 0.155 },
  upperTeeth: { x: 0.82, y: 0.675, width: 0.175, height: 0.072 },
  lowerTeeth: { x: 0.82, y: 0.757, width: 0.175, height: 0.072 },
  upperGums: { x: 0.82, y: 0.84, width: 0.175, height: 0.072 },
  lowerGums: { x: 0.82, y: 0.922, width: 0.175, height: 0.072 },
} as const satisfies Record<string, Chart>;
