import type { Scores } from '../evaluation/score-frames.ts';
import type { Image } from '../video/frame.ts';
import type { Canvas } from './canvas.ts';
import { escapeXml } from './loss-plot.ts';
import { contactSheet, ERROR_FULL_SCALE, errorImage } from './sheets.ts';

/** One held-out frame of `bakedHeldOutSheet`. */
export interface BakedExample {
  readonly truth: Image;
  readonly fitted: Image;
  readonly baked: Image;
  readonly caption: string;
}

/** `held-out.png` of a bake: columns of frames, rows of truth, fitted avatar, baked avatar, the baked one's error. */
export function bakedHeldOutSheet(examples: readonly BakedExample[], cellSize = 256): Canvas {
  const cells = [
    ...examples.map(({ truth }) => ({ image: truth })),
    ...examples.map(({ fitted }) => ({ image: fitted })),
    ...examples.map(({ baked }) => ({ image: baked })),
    ...examples.map(({ truth, baked, caption }) => ({ image: errorImage(truth, baked), caption })),
  ];
  return contactSheet(cells, {
    columns: Math.max(1, examples.length),
    cellSize,
    rowLabels: ['truth', 'fitted', 'baked', 'error'],
    title: `held-out frames before and after baking; error of the baked black at ${ERROR_FULL_SCALE}`,
  });
}

/** A row of the variants' table. */
export interface VariantRow {
  readonly name: string;
  /** As tracked, and after test-time fitting; null where it was not scored. */
  readonly heldOut: Scores | null;
  readonly fitted: Scores | null;
  readonly gaussians: number;
  /** Null for what was not baked. */
  readonly seconds: number | null;
  readonly totalVariation: number | null;
}

export interface BakedSection {
  readonly rows: readonly VariantRow[];
  /** Pictures as data URLs. */
  readonly pictures: readonly { readonly title: string; readonly text: string; readonly url: string }[];
  readonly lossSvg?: string;
}

const BEGIN = '<!-- baked -->';
const END = '<!-- end of baked -->';

/** The part of `report.html` that a bake adds. */
export function bakedSection({ rows, pictures, lossSvg }: BakedSection): string {
  const number = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? '–';
  const body = rows.map(({ name, heldOut, fitted, gaussians, seconds, totalVariation }) => {
    const cells = [
      number(fitted?.psnr, 2), number(fitted?.ssim, 4), number(fitted?.lpips, 4), number(heldOut?.psnr, 2),
      gaussians.toLocaleString('en'), number(seconds, 0), number(totalVariation, 4),
    ]; // prettier-ignore
    return `<tr><th scope="row">${escapeXml(name)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const head = ['', 'PSNR', 'SSIM', 'LPIPS', 'PSNR as tracked', 'Gaussians', 'seconds', 'colour map’s variation'];
  const table = `<table><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
  const shown = pictures.map(
    ({ title, text, url }) =>
      `<section><h2>${escapeXml(title)}</h2><p>${escapeXml(text)}</p><img src="${url}" alt="${escapeXml(title)}"></section>`,
  );
  if (lossSvg) shown.push(`<section><h2>Baking: loss</h2><p>Mean over stretches of frames.</p>${lossSvg}</section>`);
  return `${BEGIN}
<section><h2>Baked maps</h2><p>Means over held-out frames, with each frame’s pose fitted for 50 steps and the avatar frozen, unless it says as tracked. Variation: mean difference of neighbouring texels of the colour map that frames show.</p>${table}</section>
${shown.join('\n')}
${END}`;
}

/** The page with the section in it: in place of an earlier one, else before the facts of the run. */
export function insertBakedSection(page: string, section: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin >= 0 && end > begin) return page.slice(0, begin) + section + page.slice(end + END.length);
  const facts = page.lastIndexOf('<section><h2>Run</h2>');
  const at = facts >= 0 ? facts : page.lastIndexOf('</main>');
  return at < 0 ? page : `${page.slice(0, at)}${section}\n${page.slice(at)}`;
}
