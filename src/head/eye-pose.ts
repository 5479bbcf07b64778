/** Rotation of an eyeball at weight 1 of ARKit's `eyeLook*`; radians. Apple gives no figure: chosen from human range. */
export const MAX_HORIZONTAL_GAZE = (30 * Math.PI) / 180;
export const MAX_VERTICAL_GAZE = (25 * Math.PI) / 180;

export interface EyePoses {
  /** Axis-angle, radians, in head space: +x looks down, +y looks towards the subject's left. */
  readonly leftEyePose: Float32Array;
  readonly rightEyePose: Float32Array;
}

/**
 * Eyeball rotations that go with ARKit's `eyeLook*` weights (0…1 by name; absent ones are 0). In our head models those
 * shapes move the lids alone; the eyeball turns by its joint, so a driver that sets the weights sets these too. `In`
 * is towards the nose.
 */
export function eyePoseFromArkit(weights: Readonly<Record<string, number>>): EyePoses {
  const weight = (name: string): number => weights[name] ?? 0;
  const eye = (side: 'Left' | 'Right'): Float32Array => {
    const down = weight(`eyeLookDown${side}`) - weight(`eyeLookUp${side}`);
    const out = weight(`eyeLookOut${side}`) - weight(`eyeLookIn${side}`);
    return Float32Array.of(down * MAX_VERTICAL_GAZE, (side === 'Left' ? out : -out) * MAX_HORIZONTAL_GAZE, 0);
  };
  return { leftEyePose: eye('Left'), rightEyePose: eye('Right') };
}

/** Inverse of `eyePoseFromArkit`: the eight `eyeLook*` weights that show these rotations, clamped to 0…1. */
export function arkitFromEyePose({ leftEyePose, rightEyePose }: EyePoses): Record<string, number> {
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  const weights: Record<string, number> = {};
  for (const [side, pose, outSign] of [
    ['Left', leftEyePose, 1],
    ['Right', rightEyePose, -1],
  ] as const) {
    const down = pose[0]! / MAX_VERTICAL_GAZE;
    const out = (outSign * pose[1]!) / MAX_HORIZONTAL_GAZE;
    weights[`eyeLookDown${side}`] = clamp(down);
    weights[`eyeLookUp${side}`] = clamp(-down);
    weights[`eyeLookOut${side}`] = clamp(out);
    weights[`eyeLookIn${side}`] = clamp(-out);
  }
  return weights;
}
