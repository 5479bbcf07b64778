import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { scoreExactViews, type ExactView, type ViewScores } from '../../../evaluation/exact-views.ts';
import { trackError, type Square, type TrackError } from '../../../evaluation/track-error.ts';
import type { SyntheticOptions } from '../../../synthetic/synthetic-subject.ts';
import { parseTrack } from '../../../tracking/track-json.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { readImage } from '../frame-images.ts';
import { openHead } from '../open-head.ts';
import { RunFolder } from '../run-folder.ts';
import { createSyntheticFolder } from '../synthetic-folder.ts';
import { withGpu, type RunContext } from './context.ts';
import { CROPS_FILE, readAvatar, TRACK_FILE } from './fit-run.ts';

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

/**
 * How the avatar that a run made looks from every side, against the exact views of its synthetic subject. Writes
 * `report/exact-views.json`.
 */
export async function measureDemoViews(
  { folder, subject }: { folder: string; subject: string },
  context: RunContext = {},
): Promise<ViewScores[]> {
  const text = (name: string): Promise<string> => readFile(join(subject, name), 'utf8');
  const { identityCoefficients } = parseTrack(await text('track.json'));
  const stored = JSON.parse(await text(join('views', 'views.json'))) as readonly Omit<ExactView, 'image'>[];
  const views: ExactView[] = [];
  for (const [index, view] of stored.entries()) {
    const image = await readImage(join(subject, 'views', `${String(index).padStart(2, '0')}.png`));
    views.push({ ...view, image });
  }
  const run = await RunFolder.open(folder);
  try {
    const avatar = await readAvatar(run);
    const head = await openHead(HEAD);
    const scores = await withGpu(context, (gpu) => scoreExactViews(gpu, avatar, { head, identityCoefficients }, views));
    await writeFileAtomically(join(folder, 'report', 'exact-views.json'), `${JSON.stringify(scores, null, 2)}\n`);
    return scores;
  } finally {
    await run.close();
  }
}
