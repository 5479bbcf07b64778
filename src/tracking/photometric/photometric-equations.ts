import { POSE_UNKNOWNS, type ClipState, type FrameState } from '../solve-state.ts';
import type { Appearance } from './appearance.ts';
import { locateSample, sampleFeature, viewLevel, type FramePicture } from './frame-picture.ts';
import type { SurfaceSamples } from './surface-samples.ts';

/** What all frames' pictures are compared with, and how much that counts. */
export interface PhotometricTarget {
  readonly samples: SurfaceSamples;
  readonly appearance: Appearance;
  /** What one sample counts: neighbours repeat each other, and the surface is only nearly the model's. */
  readonly weight: number;
  /** Every n-th sample that a frame shows is compared, for as many: coarse pictures hold fewer pixels than samples. */
  readonly stride: number;
  /** Deviations at which a residual loses half its influence. */
  readonly robustScale: number;
}

/** Normal equations to add to: `FrameEquations`. */
interface Equations {
  readonly hessian: Float64Array;
  readonly gradient: Float64Array;
}

/**
 * Photometric part of one frame's equations: ½·weight·stride·Σ w·ρ(p·(feature − reference)²) over the samples that the frame
 * shows, ρ as for landmarks (Geman–McClure). Rows by the chain rule: slope of the picture · ∂pixel/∂unknown. Focal
 * length and identity stay as the landmarks have them.
 */
export class PhotometricEquations {
  private readonly row: Float64Array;
  private readonly unknowns: Uint32Array;
  private readonly point = new Float64Array(3);
  private readonly taken = new Float64Array(3);

  /** @param localCount Unknowns of one frame. */
  constructor(localCount: number) {
    this.row = new Float64Array(localCount);
    this.unknowns = Uint32Array.from({ length: localCount }, (_, i) => i);
  }

  cost(target: PhotometricTarget, clip: ClipState, frame: FrameState, picture: FramePicture): number {
    const { appearance, robustScale, stride } = target;
    const view = viewLevel(picture, clip, appearance.level);
    const robust = robustScale * robustScale;
    let cost = 0;
    for (let i = 0; i < picture.visible.length; i += stride) {
      const sample = picture.visible[i];
      const precision = appearance.precision[sample];
      if (precision === 0) continue;
      const off = this.difference(target, clip, frame, view, sample);
      const squared = off * off * precision;
      cost += (picture.weights[i] * squared * robust) / (robust + squared);
    }
    return 0.5 * target.weight * stride * cost;
  }

  /** Adds to equations of `size` unknowns, the frame's own first; returns the cost. */
  add(
    equations: Equations,
    size: number,
    target: PhotometricTarget,
    clip: ClipState,
    frame: FrameState,
    picture: FramePicture,
    poseOnly: boolean,
  ): number {
    const { samples, appearance, robustScale, stride } = target;
    const { row, unknowns } = this;
    const view = viewLevel(picture, clip, appearance.level);
    const robust = robustScale * robustScale;
    let cost = 0;
    for (let i = 0; i < picture.visible.length; i += stride) {
      const sample = picture.visible[i];
      const precision = appearance.precision[sample];
      if (precision === 0) continue;
      const off = this.difference(target, clip, frame, view, sample);
      const squared = off * off * precision;
      const damped = robust / (robust + squared);
      cost += picture.weights[i] * squared * damped;
      const weight = target.weight * stride * picture.weights[i] * precision * damped * damped;
      const entries = this.fillRow(samples, clip, frame, sample, view.focal, poseOnly);
      for (let a = 0; a < entries; a++) {
        const value = weight * row[a];
        const start = unknowns[a] * size;
        equations.gradient[unknowns[a]] += value * off;
        for (let b = a; b < entries; b++) equations.hessian[start + unknowns[b]] += value * row[b];
      }
    }
    return 0.5 * target.weight * stride * cost;
  }

  /** The picture's feature less the reference; leaves the sample's camera point in `point` and the slopes in `taken`. */
  private difference(
    { samples, appearance }: PhotometricTarget,
    clip: ClipState,
    frame: FrameState,
    view: ReturnType<typeof viewLevel>,
    sample: number,
  ): number {
    locateSample(samples, clip, frame, sample, this.point);
    sampleFeature(view, this.point, this.taken);
    return this.taken[0] - appearance.reference[sample];
  }

  /** Fills the row of the sample at `point` with the slopes in `taken`; returns how many entries it has. */
  private fillRow(
    samples: SurfaceSamples,
    clip: ClipState,
    frame: FrameState,
    sample: number,
    focal: number,
    poseOnly: boolean,
  ): number {
    const { row, unknowns, point, taken } = this;
    const r = frame.rotation;
    const depth = Math.exp(clip.logFocal + frame.position[2]);
    const tx = depth * frame.position[0];
    const ty = depth * frame.position[1];
    const x = point[0];
    const y = point[1];
    const z = point[2];
    const ax = x - tx;
    const ay = y - ty;
    const az = z - depth;
    // ∂feature/∂(camera point).
    const gx = (focal / z) * taken[1];
    const gy = (focal / z) * taken[2];
    const gz = -(gx * x + gy * y) / z;
    // Rotation: (turned point) × (∂feature/∂camera point), as for landmarks.
    row[0] = ay * gz - az * gy;
    row[1] = az * gx - ax * gz;
    row[2] = ax * gy - ay * gx;
    row[3] = gx * depth;
    row[4] = gy * depth;
    row[5] = gx * tx + gy * ty + gz * depth;
    if (poseOnly) return POSE_UNKNOWNS;
    const hx = gx * r[0] + gy * r[3] + gz * r[6];
    const hy = gx * r[1] + gy * r[4] + gz * r[7];
    const hz = gx * r[2] + gy * r[5] + gz * r[8];
    const { starts, indices, moves } = samples.expression;
    let entries = POSE_UNKNOWNS;
    for (let entry = starts[sample]; entry < starts[sample + 1]; entry++) {
      unknowns[entries] = POSE_UNKNOWNS + indices[entry];
      row[entries++] = hx * moves[entry * 3] + hy * moves[entry * 3 + 1] + hz * moves[entry * 3 + 2];
    }
    return entries;
  }
}
