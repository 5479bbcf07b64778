import type { CreateOptions } from '../../src/command-options.ts';
import { createNodeGpu, openHead } from '../../src/platform/node/index.ts';
import { createSyntheticFolder } from '../../src/platform/node/synthetic-folder.ts';
import { sharedPath } from '../../test/shared.ts';

/** One clip with one head model. */
export interface QualityCase {
  /** As in `test/quality-thresholds.ts`. */
  readonly name: string;
  /** Video and head of the case, made where need be; null, with a line that says why, where data is absent. */
  readonly open: (folder: string) => Promise<(Pick<CreateOptions, 'head'> & { video: string }) | null>;
}

const ICT = 'data/heads/ict-facekit';

export const QUALITY_CASES: readonly QualityCase[] = [
  ...['selfie-glasses', 'address-turns'].flatMap((clip) => [
    { name: `${clip}, ict`, open: () => openClip(`data/clips/${clip}.mp4`, ICT) },
    { name: `${clip}, builtin`, open: () => openClip(`data/clips/${clip}.mp4`, 'builtin') },
  ]),
  { name: 'demo', open: openDemo },
];

/** A clip and a head below the folder of test data. */
export async function openClip(clip: string, head: string): Promise<{ video: string; head: string } | null> {
  const video = sharedPath(clip);
  const headPath = head === 'builtin' ? head : sharedPath(head);
  if (video && headPath) return { video, head: head === 'builtin' ? head : `ict:${headPath}` };
  console.error(`left out: ${video ? head : clip} is not in the folder of test data (FATE_SHARED)`);
  return null;
}

async function openDemo(folder: string): Promise<{ video: string; head: string }> {
  const gpu = await createNodeGpu();
  try {
    const { clipPath } = await createSyntheticFolder(gpu, await openHead('builtin'), `${folder}-subject`);
    return { video: clipPath, head: 'builtin' };
  } finally {
    gpu.dispose();
  }
}
