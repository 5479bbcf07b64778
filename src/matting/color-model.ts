/** Values per sample: log-luminance and two chromaticities. */
const AXES = 3;
/** Too few pixels say nothing of a material. */
const MINIMUM_SAMPLES = 60;
/** A cluster is never tighter than this: noise and compression. */
const MINIMUM_VARIANCE = [0.04, 2.5e-4, 2.5e-4];
const ITERATIONS = 6;
/** Samples kept of one material; later ones replace the oldest. */
const CAPACITY = 4096;
/** Learning anew costs milliseconds: at every frame at first, then now and then. */
const EAGER_FRAMES = 6;
const LEARNING_INTERVAL = 12;

/**
 * The colours of one material in a clip, as a few clusters in log-luminance and chromaticity, learnt from samples that
 * every frame adds. No randomness: the same frames give the same clusters.
 */
export class ColorModel {
  private readonly samples = new Float32Array(CAPACITY * AXES);
  private count = 0;
  private next = 0;
  private frames = 0;
  private readonly means: Float32Array;
  private readonly variances: Float32Array;
  private isLearnt = false;

  constructor(private readonly clusters: number) {
    this.means = new Float32Array(clusters * AXES);
    this.variances = new Float32Array(clusters * AXES);
  }

  /** False until enough of the material has been seen. */
  get isUsable(): boolean {
    return this.isLearnt;
  }

  /** Adds one frame's pixels, at most `limit` of them, evenly chosen. `stride` is the number of bytes per pixel. */
  addFrame(colors: Uint8Array, stride: number, pixels: readonly number[], limit = 400): void {
    const step = Math.max(pixels.length / limit, 1);
    for (let k = 0; k < pixels.length; k += step) {
      const at = pixels[Math.floor(k)] * stride;
      this.samples.set(features(colors[at], colors[at + 1], colors[at + 2]), this.next * AXES);
      this.next = (this.next + 1) % CAPACITY;
      this.count = Math.min(this.count + 1, CAPACITY);
    }
    const isDue = this.frames < EAGER_FRAMES || this.frames % LEARNING_INTERVAL === 0;
    this.frames++;
    if (isDue && this.count >= MINIMUM_SAMPLES) this.learn();
  }

  /**
   * Squared distance of a colour to the nearest cluster in standard deviations: about 3 for the material itself, more for
   * others. Infinite while nothing is learnt.
   *
   * @param luminanceWeight Below 1 the material may lie in shadow.
   */
  distance(red: number, green: number, blue: number, luminanceWeight: number): number {
    if (!this.isLearnt) return Infinity;
    const [luminance, r, g] = features(red, green, blue);
    const { means, variances } = this;
    let distance = Infinity;
    for (let k = 0; k < means.length; k += AXES) {
      const d =
        (luminanceWeight * (luminance - means[k]) ** 2) / variances[k] +
        (r - means[k + 1]) ** 2 / variances[k + 1] +
        (g - means[k + 2]) ** 2 / variances[k + 2];
      if (d < distance) distance = d;
    }
    return distance;
  }

  /** k-means from luminance quantiles. */
  private learn(): void {
    const { samples, count, clusters, means, variances } = this;
    if (!this.isLearnt) {
      const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => samples[a * AXES] - samples[b * AXES]);
      for (let k = 0; k < clusters; k++) {
        const from = order[Math.floor(((k + 0.5) * count) / clusters)] * AXES;
        means.set(samples.subarray(from, from + AXES), k * AXES);
      }
      variances.forEach((_, i) => (variances[i] = MINIMUM_VARIANCE[i % AXES]));
    }
    for (let iteration = 0; iteration < ITERATIONS; iteration++) this.moveClusters();
    this.isLearnt = true;
  }

  private moveClusters(): void {
    const { samples, count, clusters, means, variances } = this;
    const sums = new Float64Array(clusters * 7);
    for (let i = 0; i < count * AXES; i += AXES) {
      let nearest = 0;
      let least = Infinity;
      for (let k = 0; k < clusters; k++) {
        let d = 0;
        for (let axis = 0; axis < AXES; axis++)
          d += (samples[i + axis] - means[k * AXES + axis]) ** 2 / variances[k * AXES + axis];
        if (d < least) {
          least = d;
          nearest = k;
        }
      }
      sums[7 * nearest]++;
      for (let axis = 0; axis < AXES; axis++) {
        sums[7 * nearest + 1 + axis] += samples[i + axis];
        sums[7 * nearest + 4 + axis] += samples[i + axis] ** 2;
      }
    }
    for (let k = 0; k < clusters; k++) {
      const n = sums[7 * k];
      if (n < 8) continue;
      for (let axis = 0; axis < AXES; axis++) {
        const mean = sums[7 * k + 1 + axis] / n;
        means[k * AXES + axis] = mean;
        variances[k * AXES + axis] = Math.max(sums[7 * k + 4 + axis] / n - mean * mean, MINIMUM_VARIANCE[axis]);
      }
    }
  }
}

/** [log luminance, r, g] of an 8-bit colour; r and g are shares of the sum, steadied for dark pixels. */
function features(red: number, green: number, blue: number): [number, number, number] {
  const sum = red + green + blue + 24;
  return [Math.log(sum), (red + 8) / sum, (green + 8) / sum];
}
