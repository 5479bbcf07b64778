import { createHash } from 'node:crypto';
import { TRACK_CLIP_DEFAULTS, trackClip, type TrackedClip } from '../../../create-avatar.ts';
import type { TrackOptions } from '../../../command-options.ts';
import type { SplitRule } from '../../../evaluation/split-frames.ts';
import type { HeadModel } from '../../../head/head-model.ts';
import { loadFaceModels } from '../../../inference/face-models.ts';
import { landmarksInCrop } from '../../../tracking/crop.ts';
import { projectLandmarks } from '../../../tracking/project-landmarks.ts';
import { serializeTrack } from '../../../tracking/track-json.ts';
import { openVideo } from '../../../video/open-video.ts';
import { FrameImages } from '../frame-images.ts';
import { createNodeInference } from '../litert.ts';
import { openModelFiles } from '../model-files.ts';
import { nodeVideoPlatform } from '../node-video.ts';
import { openHead } from '../open-head.ts';
import { existingModelsFolder } from '../optional-files.ts';
import type { RunFolder } from '../run-folder.ts';
import type { RunContext } from './context.ts';
import { pickEvenly } from './evaluate-run.ts';
import { CROPS_FILE, FRAMES_FOLDER, peakMemoryMB, TRACK_FILE } from './fit-run.ts';
import { LANDMARKS_FILE, type LandmarkFile } from './landmarks-file.ts';

export interface TrackFacts {
  readonly frames: number;
  readonly excluded: number;
  /** Root mean square landmark distance in pixels of a 512² crop, mean over the frames in use. */
  readonly meanResidual: number;
  readonly warnings: readonly string[];
}

/** `split` only where it is not the default. */
export type TrackStageOptions = Omit<TrackOptions, 'force'> & { readonly split?: SplitRule };

/** Tracks the run's video, or does nothing when that is done. */
export async function runTrack(
  folder: RunFolder,
  options: TrackStageOptions,
  context: RunContext,
): Promise<TrackFacts> {
  if (folder.isDone('track')) return folder.stage('track')!.facts as unknown as TrackFacts;
  const head = await openHead(options.head);
  const video = await openVideo(folder.video!.path, nodeVideoPlatform);
  const models = await loadFaceModels(
    await createNodeInference(),
    await openModelFiles(await existingModelsFolder(options.models)),
  );
  try {
    await folder.begin('track', options);
    const images = new FrameImages(await folder.claim('track', FRAMES_FOLDER));
    await images.clear();
    const clip = await trackClip(
      video,
      { head, models },
      {
        size: options.size,
        maximumFrames: options.frames ?? TRACK_CLIP_DEFAULTS.maximumFrames,
        split: options.split ?? TRACK_CLIP_DEFAULTS.split,
      },
      (position, image) => images.write(position, image),
      context,
    );
    const text = serializeTrack(clip.track);
    await folder.write('track', TRACK_FILE, text);
    await folder.write('track', LANDMARKS_FILE, JSON.stringify(landmarkFile(head, clip, options.size)));
    await folder.write('track', CROPS_FILE, JSON.stringify(clip.crops));
    const used = clip.track.frames.filter((frame) => frame.excluded === null);
    const facts: TrackFacts = {
      frames: clip.track.frames.length,
      excluded: clip.track.frames.length - used.length,
      meanResidual: used.reduce((sum, frame) => sum + frame.residual / used.length, 0),
      warnings: clip.track.warnings,
    };
    for (const warning of clip.track.warnings) context.log?.(warning);
    const trackSha256 = createHash('sha256').update(text).digest('hex');
    await folder.finish('track', {
      ...facts,
      videoFrames: video.info.frameCount,
      videoWidth: video.info.width,
      videoHeight: video.info.height,
      trackSha256,
      peakMemoryMB: peakMemoryMB(),
    });
    return facts;
  } finally {
    models.close();
    video.close();
  }
}

/** Landmarks of eight frames, for the report. */
function landmarkFile(head: HeadModel, { track, observation, crops }: TrackedClip, size: number): LandmarkFile {
  const used = track.frames.flatMap((frame, position) => (frame.excluded === null ? [position] : []));
  const frames = pickEvenly(used, 8).map((position) => {
    const landmarks = landmarksInCrop(observation.observations[position]!.landmarks, crops[position]!, size);
    const observed = [...landmarks].filter((_, index) => index % 3 !== 2);
    const { pose, camera } = track.frames[position]!;
    const solved = [...projectLandmarks(head, track.identityCoefficients, pose, camera)];
    const rounded = (values: number[]): number[] => values.map((value) => Math.round(value * 100) / 100);
    return { position, observed: rounded(observed), solved: rounded(solved) };
  });
  return { frames };
}
