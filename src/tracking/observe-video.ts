import type { FaceModels } from '../inference/face-models.ts';
import { chooseFrames } from '../video/choose-frames.ts';
import type { OnProgress } from '../video/frame.ts';
import type { VideoSource } from '../video/open-video.ts';
import { chooseTrack, FaceTracker, type FaceTrack, type Sighting } from './face-tracker.ts';
import { NoFaceFoundError, type ClipObservation, type FaceObservation } from './observation.ts';
import { coveredShares, MAXIMUM_COVERED } from './occlusion.ts';

export interface ObserveOptions {
  /** Most frames to look at; they are spread evenly over the video. */
  readonly maximumFrames: number;
}

export const OBSERVE_DEFAULTS: ObserveOptions = { maximumFrames: 600 };

/** A face this far outside the picture is left out: share of its landmarks. */
const MAXIMUM_OUTSIDE = 0.05;

/**
 * Finds and follows the face of a video. Throws `NoFaceFoundError` when there is none. Frames that show the face badly
 * stay in the list with the reason in `excluded`; what a user should know is in `warnings`.
 */
export async function observeVideo(
  video: VideoSource,
  models: FaceModels,
  options: Partial<ObserveOptions> = {},
  onProgress: OnProgress = () => undefined,
  signal?: AbortSignal,
): Promise<ClipObservation> {
  const { maximumFrames } = { ...OBSERVE_DEFAULTS, ...options };
  const indices = chooseFrames(video.info.frameCount, maximumFrames);
  const tracker = new FaceTracker(models);
  const frames: { sourceIndex: number; timestamp: number }[] = [];
  for await (const frame of video.frames({ indices, signal })) {
    await tracker.observe(frame);
    frames.push({ sourceIndex: frame.index, timestamp: frame.timestamp });
    onProgress({ stage: 'landmarks', done: frames.length, total: indices.length });
  }
  const track = chooseTrack(tracker.tracks);
  if (!track) throw new NoFaceFoundError(frames[0]?.sourceIndex ?? 0, frames.length);
  const observations = describeTrack(track, tracker, frames, video.info, models.landmarkCount);
  return {
    observations,
    landmarkCount: models.landmarkCount,
    warnings: [...video.warnings, ...models.warnings, ...clipWarnings(track, tracker, frames, observations)],
  };
}

type SeenFrame = { readonly sourceIndex: number; readonly timestamp: number };

function describeTrack(
  track: FaceTrack,
  tracker: FaceTracker,
  frames: readonly SeenFrame[],
  size: { width: number; height: number },
  landmarkCount: number,
): FaceObservation[] {
  const positions = [...track.sightings.keys()];
  const shares = coveredShares([...track.sightings.values()]);
  const covered = new Map(positions.map((position, i) => [position, shares[i]]));
  return frames.map((frame, position) => {
    const sighting = track.sightings.get(position);
    if (!sighting) {
      const isOtherShot = shotOf(tracker, position) !== track.shot;
      return {
        ...frame,
        landmarks: new Float32Array(landmarkCount * 3),
        score: 0,
        blendshapes: null,
        excluded: isOtherShot ? 'another shot of the video' : 'no face',
      };
    }
    const { landmarks, score, blendshapes } = sighting;
    return { ...frame, landmarks, score, blendshapes, excluded: problemOf(sighting, size, covered.get(position) ?? 0) };
  });
}

function problemOf(
  sighting: Sighting,
  { width, height }: { width: number; height: number },
  coveredShare: number,
): string | null {
  const { landmarks } = sighting;
  let outside = 0;
  for (let i = 0; i < landmarks.length; i += 3) {
    if (!Number.isFinite(landmarks[i]) || !Number.isFinite(landmarks[i + 1])) return 'landmarks are not numbers';
    if (landmarks[i] < 0 || landmarks[i] > width || landmarks[i + 1] < 0 || landmarks[i + 1] > height) outside++;
  }
  if ((outside * 3) / landmarks.length > MAXIMUM_OUTSIDE) return 'the face leaves the picture';
  if (coveredShare > MAXIMUM_COVERED) return 'something covers the face';
  return null;
}

function shotOf(tracker: FaceTracker, position: number): number {
  return tracker.shotStarts.findLastIndex((start) => start <= position);
}

function clipWarnings(
  track: FaceTrack,
  tracker: FaceTracker,
  frames: readonly SeenFrame[],
  observations: readonly FaceObservation[],
): string[] {
  const warnings: string[] = [];
  if (tracker.shotStarts.length > 1) {
    const cuts = tracker.shotStarts.slice(1).map((position) => frames[position].sourceIndex);
    const inShot = frames.filter((_, position) => shotOf(tracker, position) === track.shot);
    warnings.push(
      `The video cuts to another shot at frame ${cuts.join(', ')}; only frames ${inShot[0].sourceIndex}–${inShot[inShot.length - 1].sourceIndex} are used.`,
    );
  }
  const others = tracker.tracks.filter(
    (other) => other !== track && other.shot === track.shot && other.sightings.size > track.sightings.size * 0.1,
  );
  if (others.length > 0) {
    warnings.push(`${others.length + 1} faces are in the video; the largest and steadiest one is used.`);
  }
  const excluded = observations.filter(
    (observation) => observation.excluded !== null && observation.excluded !== 'another shot of the video',
  );
  for (const reason of new Set(excluded.map((observation) => observation.excluded))) {
    const indices = excluded
      .filter((observation) => observation.excluded === reason)
      .map((observation) => observation.sourceIndex);
    warnings.push(
      `Left out because ${reason === 'no face' ? 'no face is seen' : reason}: frame${indices.length > 1 ? 's' : ''} ${ranges(indices)}.`,
    );
  }
  const usable = observations.length - observations.filter((observation) => observation.excluded !== null).length;
  if (usable < 20) {
    warnings.push(
      `Only ${usable} frame${usable === 1 ? '' : 's'} can be used: the avatar will know little of the head. Ten seconds or more with some head turns are better.`,
    );
  }
  return warnings;
}

/** `1–3, 7` for 1, 2, 3, 7; neighbours are those next to each other in the list of frames looked at. */
function ranges(indices: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const index of indices) {
    const last = parts[parts.length - 1];
    if (last && index - last[1] <= 1) last[1] = index;
    else parts.push([index, index]);
  }
  const shown = parts.slice(0, 12).map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return parts.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ');
}
