export interface ExposureScene {
  readonly background: readonly number[];
  readonly restWeight: number;
}

/** Exposed H×W×4 image from a rendered one and [logGain 3, bias 3], in float64. */
export function exposureReference(
  image: Float64Array,
  parameters: Float64Array,
  { background }: ExposureScene,
): Float64Array {
  return image.map((value, index) => {
    const channel = index % 4;
    if (channel === 3) return value;
    const transmittance = image[index - channel + 3];
    const behind = transmittance * background[channel];
    return Math.exp(parameters[channel]) * (value - behind) + parameters[3 + channel] * (1 - transmittance) + behind;
  });
}

/** ∂loss/∂image and ∂loss/∂parameters from ∂loss/∂exposed, with the pull to identity restWeight·|parameters|². */
export function exposureBackwardReference(
  image: Float64Array,
  parameters: Float64Array,
  exposedGradient: Float64Array,
  { background, restWeight }: ExposureScene,
): { image: Float64Array; parameters: Float64Array } {
  const imageGradient = new Float64Array(image.length);
  const parameterGradient = parameters.map((value) => 2 * restWeight * value);
  for (let base = 0; base < image.length; base += 4) {
    const transmittance = image[base + 3];
    imageGradient[base + 3] = exposedGradient[base + 3];
    for (let channel = 0; channel < 3; channel++) {
      const given = exposedGradient[base + channel];
      const gain = Math.exp(parameters[channel]);
      imageGradient[base + channel] = gain * given;
      imageGradient[base + 3] += given * (background[channel] * (1 - gain) - parameters[3 + channel]);
      parameterGradient[channel] += given * gain * (image[base + channel] - transmittance * background[channel]);
      parameterGradient[3 + channel] += given * (1 - transmittance);
    }
  }
  return { image: imageGradient, parameters: parameterGradient };
}
