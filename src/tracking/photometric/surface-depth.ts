import type { ClipState } from '../solve-state.ts';
import type { Appearance, PicturedState } from './appearance.ts';
import { locateSample, sampleFeature, viewLevel } from './frame-picture.ts';
import type { SurfaceSamples } from './surface-samples.ts';

/** Metres: how far the surface may lie off the model's; hair stands a few centimetres off the scalp. */
const DEPTH_SIGMA = 0.01;
const LARGEST_DEPTH = 0.04;
/** Metres: points about this near share their depth. */
const RADIUS = 0.008;
/** Frames show the same picture again and again: together they count as this many. */
const EFFECTIVE_FRAMES = 20;
/** Deviations at which a residual loses half its influence. */
const ROBUST_SCALE = 2.5;

/**
 * Where the surface lies off the model's, along its normals: hair over the scalp, a chin that identity does not know. A
 * head that turns shows it, and a wrong depth turns the head the wrong way.
 */
export class SurfaceDepth {
  private readonly depths: Float64Array;
  private readonly neighbours: readonly { readonly indices: Uint32Array; readonly weights: Float32Array }[];

  constructor(private readonly samples: SurfaceSamples) {
    this.depths = new Float64Array(samples.count);
    this.neighbours = findNeighbours(samples);
  }

  /** One Gauss–Newton step of every point's depth to where the frames agree best. */
  improve(clip: ClipState, frames: readonly PicturedState[], appearance: Appearance): void {
    const { positions, normals, count } = this.samples;
    const { squares, pulls } = this.gather(clip, frames, appearance);
    const moved = new Float64Array(count);
    for (let sample = 0; sample < count; sample++) {
      const { indices, weights } = this.neighbours[sample];
      let [square, pull] = [1 / DEPTH_SIGMA ** 2, 0];
      for (let k = 0; k < indices.length; k++) {
        square += weights[k] * squares[indices[k]];
        pull += weights[k] * (pulls[indices[k]] + squares[indices[k]] * this.depths[indices[k]]);
      }
      moved[sample] = Math.max(-LARGEST_DEPTH, Math.min(LARGEST_DEPTH, pull / square));
    }
    for (let i = 0; i < count * 3; i++) {
      const sample = Math.floor(i / 3);
      positions[i] += (moved[sample] - this.depths[sample]) * normals[i];
    }
    this.depths.set(moved);
  }

  /** Per sample Σ w·slope² and −Σ w·slope·residual, slope = ∂feature/∂depth. */
  private gather(
    clip: ClipState,
    frames: readonly PicturedState[],
    { level, reference, precision }: Appearance,
  ): { squares: Float64Array; pulls: Float64Array } {
    const { samples } = this;
    const { count, normals } = samples;
    const result = { squares: new Float64Array(count), pulls: new Float64Array(count) };
    const [point, taken] = [new Float64Array(3), new Float64Array(3)];
    for (const { state, picture } of frames) {
      const view = viewLevel(picture, clip, level);
      const r = state.rotation;
      for (let i = 0; i < picture.visible.length; i++) {
        const sample = picture.visible[i];
        locateSample(samples, clip, state, sample, point);
        sampleFeature(view, point, taken);
        const off = taken[0] - reference[sample];
        const damped = ROBUST_SCALE ** 2 / (ROBUST_SCALE ** 2 + off * off * precision[sample]);
        const gx = (view.focal / point[2]) * taken[1];
        const gy = (view.focal / point[2]) * taken[2];
        const gz = -(gx * point[0] + gy * point[1]) / point[2];
        const slope = [0, 1, 2].reduce(
          (sum, axis) => sum + normals[sample * 3 + axis] * (gx * r[axis] + gy * r[3 + axis] + gz * r[6 + axis]),
          0,
        );
        const weight = (EFFECTIVE_FRAMES / frames.length) * picture.weights[i] * precision[sample] * damped * damped;
        result.squares[sample] += weight * slope * slope;
        result.pulls[sample] -= weight * slope * off;
      }
    }
    return result;
  }
}

function findNeighbours({ positions, count }: SurfaceSamples): { indices: Uint32Array; weights: Float32Array }[] {
  return Array.from({ length: count }, (_, a) => {
    const indices: number[] = [];
    const weights: number[] = [];
    for (let b = 0; b < count; b++) {
      const squared =
        (positions[a * 3] - positions[b * 3]) ** 2 +
        (positions[a * 3 + 1] - positions[b * 3 + 1]) ** 2 +
        (positions[a * 3 + 2] - positions[b * 3 + 2]) ** 2;
      if (squared > 6 * RADIUS * RADIUS) continue;
      indices.push(b);
      weights.push(Math.exp(-squared / (2 * RADIUS * RADIUS)));
    }
    return { indices: Uint32Array.from(indices), weights: Float32Array.from(weights) };
  });
}
