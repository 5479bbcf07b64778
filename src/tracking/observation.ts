/** What was seen of the tracked face in one frame. */
export interface FaceObservation {
  /** Index in the decoded video. */
  readonly sourceIndex: number;
  /** Seconds. */
  readonly timestamp: number;
  /**
   * L×3, L = 468 or 478 (with irises): x and y in pixels of the upright frame, z in the same scale, smaller towards the
   * camera, relative to the middle of the face. Not smoothed. All zero where no face was seen (then `excluded` says so).
   */
  readonly landmarks: Float32Array;
  /** How sure the network is that this is a face, 0…1. */
  readonly score: number;
  /** 52 scores 0…1 in the order of `ARKIT_EXPRESSION_NAMES`; null without `face_landmarker.task`. */
  readonly blendshapes: Float32Array | null;
  /** Why the frame should take no part in fitting or scoring; null when it may. */
  readonly excluded: string | null;
}

/** The tracked face over a clip. */
export interface ClipObservation {
  /** One per frame that was looked at, in order, excluded ones among them. */
  readonly observations: readonly FaceObservation[];
  readonly landmarkCount: 468 | 478;
  readonly warnings: readonly string[];
}

/** No frame of the video shows a face. */
export class NoFaceFoundError extends Error {
  override readonly name = 'NoFaceFoundError';

  /** @param frameIndex The first frame that was searched. */
  constructor(
    readonly frameIndex: number,
    frameCount: number,
  ) {
    super(
      `No face was found in ${frameCount === 1 ? `frame ${frameIndex}` : `any of ${frameCount} frames (from frame ${frameIndex} on)`}. ` +
        'Use a video that shows one face from the front, upright, well lit and at least an eighth of the picture high.',
    );
  }
}
