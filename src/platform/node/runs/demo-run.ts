import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { trackError, type Square, type TrackError } from '../../../evaluation/track-error.ts';
import type { SyntheticOptions } from '../../../synthetic/synthetic-subject.ts';
import { parseTrack } from '../../../tracking/track-json.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { openHead } from '../open-head.ts';
import { createSyntheticFolder } from '../synthetic-folder.ts';
import { withGpu, type RunContext } from './context.ts';
import { TRACK_FILE } from './fit-run.ts';
import { CROPS_FILE } from './fit-run.ts';

/** The synthetic subject is painted on this head; its exact track is of it. */
const HEAD = 'builtin';

/**
 * Makes the synthetic subject's video in `folder` (once), with its exact track, mattes and views from all sides beside
 * it. Returns the video's path.
 */
export async function createDemoVideo(
  { folder, ...options }: { folder: string } & Partial<SyntheticOptions>,
  context: RunContext = {},
): Promise<string> {
  const { onProgress, signal } = context;
  const head = await openHead(HEAD);
  const paths = await withGpu(context, (gpu) =>
    createSyntheticFolder(gpu, head, resolve(folder), options, onProgress, signal),
  );
  return paths.clipPath;
}

/** How far the track that a run found is from the exact one of its synthetic subject. */
export async function measureDemoTrack({ folder, subject }: { folder: string; subject: string }): Promise<TrackError> {
  const text = (path: string): Promise<string> => readFile(path, 'utf8');
  const [exact, tracked] = await Promise.all([text(join(subject, 'track.json')), text(join(folder, TRACK_FILE))]);
  const crops = JSON.parse(await text(join(folder, CROPS_FILE))) as Square[];
  const error = trackError(await openHead(HEAD), parseTrack(exact), parseTrack(tracked), crops);
  await writeFileAtomically(join(folder, 'report', 'track-error.json'), `${JSON.stringify(error, null, 2)}\n`);
  return error;
}
