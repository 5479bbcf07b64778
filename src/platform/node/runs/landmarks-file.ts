/** A few frames' landmarks, kept for the report's picture: x, y pairs in pixels of the cropped frame. */
export interface LandmarkFile {
  readonly frames: readonly {
    /** Position in the track. */
    readonly position: number;
    /** As the network saw them. */
    readonly observed: readonly number[];
    /** As the solved head projects them. */
    readonly solved: readonly number[];
  }[];
}

export const LANDMARKS_FILE = 'landmarks.json';
