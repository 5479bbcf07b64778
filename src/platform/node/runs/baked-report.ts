import type { Metrics } from '../../../evaluation/metrics-file.ts';
import { bakedSection, insertBakedSection, type VariantRow } from '../../../report/baked-section.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { dataUrl, decodeImage, encodeJpeg } from '../image-file.ts';
import type { RunFolder } from '../run-folder.ts';
import type { BakeFacts } from './bake-run.ts';

/** `report/baked/metrics.json`: the scores of the baked avatar, beside the bake's facts and the fitted avatar's scores. */
export interface BakedMetrics extends Metrics {
  readonly bake: BakeFacts & { readonly seconds: number };
  /** Of the fitted avatar, where it was evaluated. */
  readonly beforeBaking: Metrics['heldOut'];
}

/** What the evaluation of a bake writes, relative to the run's folder. */
export const BAKED_REPORT = {
  metrics: 'report/baked/metrics.json',
  maps: 'report/baked/maps.png',
  heldOut: 'report/baked/held-out.png',
  loss: 'report/baked/loss.svg',
} as const;

const PICTURES = [
  { file: BAKED_REPORT.maps, title: 'Attribute maps', text: 'What the Gaussians read, in UV.' },
  {
    file: BAKED_REPORT.heldOut,
    title: 'Before and after baking',
    text: 'Frames that neither the fit nor the bake saw.',
  },
];

/**
 * Puts what the folder has of a bake's evaluation on its page, in place of what was there: whichever of the two
 * evaluations comes last, the page holds both. Does nothing while either is missing.
 */
export async function addBakedSection(folder: RunFolder): Promise<void> {
  const metrics = await readJson<BakedMetrics>(folder, BAKED_REPORT.metrics);
  const page = await folder.read('report/report.html');
  if (!metrics || !page) return;
  const pictures = [];
  for (const { file, title, text } of PICTURES) {
    const bytes = await folder.read(file);
    if (bytes) pictures.push({ title, text, url: dataUrl('image/jpeg', await encodeJpeg(await decodeImage(bytes))) });
  }
  const loss = await folder.read(BAKED_REPORT.loss);
  const rows = rowsOf(metrics, await readJson<Metrics>(folder, 'report/metrics.json'));
  const lossSvg = loss ? { lossSvg: new TextDecoder().decode(loss) } : {};
  // The page belongs to the evaluation of the fit: it stays when that of the bake is done again.
  await writeFileAtomically(
    folder.resolve('report/report.html'),
    insertBakedSection(new TextDecoder().decode(page), bakedSection({ rows, pictures, ...lossSvg })),
  );
}

function rowsOf(metrics: BakedMetrics, before: Metrics | null): VariantRow[] {
  const row = (name: string, { heldOut, gaussianCount }: Metrics): Omit<VariantRow, 'seconds' | 'totalVariation'> => ({
    name,
    heldOut: heldOut && { psnr: heldOut.psnr, psnrForeground: heldOut.psnrForeground, ssim: heldOut.ssim },
    fitted: heldOut?.fitted ?? null,
    gaussians: gaussianCount,
  });
  const { seconds, variant, colorMap } = metrics.bake;
  return [
    ...(before ? [{ ...row('fitted, not baked', before), seconds: null, totalVariation: null }] : []),
    { ...row(`baked: ${variant}`, metrics), seconds, totalVariation: colorMap.totalVariation },
  ];
}

export async function readJson<T>(folder: RunFolder, name: string): Promise<T | null> {
  const bytes = await folder.read(name);
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as T) : null;
}
