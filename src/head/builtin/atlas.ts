import type { Chart } from './mesh-builder.ts';

/**
 * Where each part lies in the texture atlas. What videos show gets more than its area's share (face, eyes, teeth), what
 * hides gets less (sockets, gums, the mouth's bag); gaps of half a percent keep filters from bleeding.
 */
export const CHARTS = {
  face: { x: 0.005, y: 0.005, width: 0.58, height: 0.53 },
  skull: { x: 0.005, y: 0.543, width: 0.535, height: 0.452 },
  rightEar: { x: 0.595, y: 0.005, width: 0.125, height: 0.25 },
  leftEar: { x: 0.73, y: 0.005, width: 0.125, height: 0.25 },
  rightEyeball: { x: 0.865, y: 0.005, width: 0.13, height: 0.13 },
  leftEyeball: { x: 0.865, y: 0.145, width: 0.13, height: 0.13 },
  rightEyeSocket: { x: 0.595, y: 0.265, width: 0.125, height: 0.125 },
  leftEyeSocket: { x: 0.73, y: 0.265, width: 0.125, height: 0.125 },
  tongue: { x: 0.865, y: 0.285, width: 0.13, height: 0.105 },
  mouthCavity: { x: 0.595, y: 0.4, width: 0.2, height: 0.135 },
  upperTeeth: { x: 0.55, y: 0.55, width: 0.445, height: 0.06 },
  lowerTeeth: { x: 0.55, y: 0.62, width: 0.445, height: 0.06 },
  upperGums: { x: 0.55, y: 0.69, width: 0.445, height: 0.035 },
  lowerGums: { x: 0.55, y: 0.735, width: 0.445, height: 0.035 },
} as const satisfies Record<string, Chart>;
