import { resolve } from 'node:path';
import { bakedGaussians } from '../../../baking/baked-avatar.ts';
import { editAvatar } from '../../../editing/edited-avatar.ts';
import { EditError } from '../../../editing/layers.ts';
import type { Metrics } from '../../../evaluation/metrics-file.ts';
import { contentHash } from '../../../math/content-hash.ts';
import { contactSheet } from '../../../report/sheets.ts';
import { readBaked } from '../baked-folder.ts';
import { readEdits, readImages } from '../edits-folder.ts';
import { encodePng } from '../image-file.ts';
import { findLpips } from '../optional-files.ts';
import { RunFolder, RunFolderError } from '../run-folder.ts';
import { BAKED_REPORT, readJson, type BakedMetrics } from './baked-report.ts';
import { withGpu, type RunContext } from './context.ts';
import { metricsOf, readHeldOut, renderIn, scoreHeldOut } from './evaluate-baked-run.ts';
import { readAvatar, trackModels } from './fit-run.ts';

/** `report/edited/metrics.json`: how much of the person is left under the edits. */
export interface EditedMetrics extends Metrics {
  /** Names of the layers that show, the topmost first. */
  readonly layers: readonly string[];
  /** Of the baked avatar without them, where it was evaluated. */
  readonly beforeEditing: Metrics['heldOut'];
}

const FILES = { metrics: 'report/edited/metrics.json', heldOut: 'report/edited/held-out.png' } as const;
const CELL_SIZE = 256;

/**
 * Scores a folder's edited avatar on the frames held out from it, against the person as filmed: what its edits changed
 * of them. Writes `report/edited`; the same edits are not scored twice. Throws `RunFolderError`, `EditError`.
 */
export async function evaluateEdited(
  { folder: path, models = null }: { folder: string; models?: string | null },
  context: RunContext = {},
): Promise<EditedMetrics> {
  const folder = await RunFolder.open(resolve(path));
  try {
    if (!folder.isDone('bake'))
      throw new RunFolderError(`${folder.path} has no finished maps; run \`fate bake\` first.`);
    return await score(folder, context, models);
  } finally {
    await folder.close();
  }
}

async function score(folder: RunFolder, context: RunContext, models: string | null): Promise<EditedMetrics> {
  const fitted = await readAvatar(folder);
  const { layers: all } = await readEdits(folder.path, fitted.head);
  const layers = all.filter(({ isVisible }) => isVisible);
  if (layers.length === 0)
    throw new EditError(`${folder.path} has no edits that show; add some with \`fate edit\`, or score it with --baked`);
  // Layers name their images by content, so that the list alone tells edits apart.
  const edits = contentHash(new TextEncoder().encode(JSON.stringify(layers)));
  const isScored = folder.isDone('evaluateEdited') && folder.stage('evaluateEdited')!.options['edits'] === edits;
  const stored = isScored ? await readJson<EditedMetrics>(folder, FILES.metrics) : null;
  if (stored) return stored;
  const baked = await readBaked(folder.path, { avatar: fitted });
  const { avatar } = editAvatar(baked, layers, await readImages(folder.path, layers));
  const heldOut = await readHeldOut(folder, context);
  const found = await findLpips(models === null ? trackModels(folder) : resolve(models));
  await folder.begin('evaluateEdited', { edits });
  return withGpu(context, async (gpu) => {
    const scored = await scoreHeldOut(gpu, avatar, heldOut, found, context);
    const before = await readJson<BakedMetrics>(folder, BAKED_REPORT.metrics);
    const metrics: EditedMetrics = {
      ...metricsOf(folder, gpu, heldOut, scored, avatar.gaussians.count),
      layers: layers.map(({ name }) => name).toReversed(),
      beforeEditing: before?.heldOut ?? null,
    };
    const without = await renderIn(gpu, bakedGaussians(baked), heldOut.clip, scored.fittedPoses);
    const cells = [...without].flatMap(([index, image]) => {
      const { truth, rendering, scores } = scored.frames[index]!;
      return [
        { image: truth, caption: `frame ${scores.sourceIndex}` },
        { image, caption: 'baked' },
        { image: rendering, caption: `edited: ${scores.fitted.psnr.toFixed(1)} dB` },
      ];
    });
    if (cells.length > 0) {
      const sheet = contactSheet(cells, { columns: 3, cellSize: CELL_SIZE, title: 'Before and after editing' });
      await folder.write('evaluateEdited', FILES.heldOut, await encodePng(sheet));
    }
    await folder.write('evaluateEdited', FILES.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
    await folder.finish('evaluateEdited');
    return metrics;
  });
}
