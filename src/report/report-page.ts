import type { Metrics } from '../evaluation/metrics-file.ts';
import { escapeXml } from './loss-plot.ts';

/** Everything that `report.html` shows. Pictures and the video are data URLs: the page is one file. */
export interface ReportContent {
  readonly title: string;
  readonly metrics: Metrics;
  /** Facts under the title: options, head model, date, machine. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly turntableVideo?: string;
  readonly pictures: readonly { readonly title: string; readonly text: string; readonly url: string }[];
  /** SVG text of `lossPlot`. */
  readonly lossSvg?: string;
}

/** `report.html`: the run on one self-contained page. */
export function reportPage(content: ReportContent): string {
  const { title, metrics, facts, turntableVideo, pictures, lossSvg } = content;
  const video = turntableVideo
    ? `<video src="${turntableVideo}" autoplay loop muted playsinline controls></video>`
    : '';
  const sections = pictures.map(
    (picture) =>
      `<section><h2>${escapeXml(picture.title)}</h2><p>${escapeXml(picture.text)}</p><img src="${picture.url}" alt="${escapeXml(picture.title)}"></section>`,
  );
  if (lossSvg)
    sections.push(`<section><h2>Loss</h2><p>Mean over stretches of steps; logarithmic.</p>${lossSvg}</section>`);
  const warnings = metrics.warnings.map((warning) => `<li>${escapeXml(warning)}</li>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<div><h1>${escapeXml(title)}</h1>${scoreTable(metrics)}</div>
${video}
</header>
${warnings ? `<ul class="warnings">${warnings}</ul>` : ''}
${sections.join('\n')}
<section><h2>Run</h2><table>${[...runFacts(metrics), ...facts].map(factRow).join('')}</table></section>
</main>
</body>
</html>
`;
}

function scoreTable({ heldOut }: Metrics): string {
  if (!heldOut) return '<p>No frame was held out; there are no scores.</p>';
  const decibels = (value: number | null): string => (value === null ? '–' : `${value.toFixed(2)} dB`);
  const rows = [
    ['PSNR', decibels(heldOut.fitted.psnr), decibels(heldOut.psnr)],
    ['PSNR, foreground', decibels(heldOut.fitted.psnrForeground), decibels(heldOut.psnrForeground)],
    ['SSIM', heldOut.fitted.ssim.toFixed(4), heldOut.ssim.toFixed(4)],
    ['LPIPS', heldOut.fitted.lpips?.toFixed(4) ?? '', heldOut.lpips?.toFixed(4) ?? 'no weights given'],
  ];
  const body = rows
    .map(([name, fitted, tracked]) => `<tr><th scope="row">${name}</th><td>${fitted}</td><td>${tracked}</td></tr>`)
    .join('');
  return `<table class="scores"><thead><tr><th></th><th>fitted</th><th>as tracked</th></tr></thead><tbody>${body}</tbody></table>
<p>Means over ${heldOut.frames} held-out frames on white. <i>Fitted</i>: pose, expression and translation of each frame fitted for 50 steps with the avatar frozen; its appearance never sees these frames. <i>As tracked</i>: with the correction of the track that the fit learned from its own frames; ${heldOut.uncorrected.psnr.toFixed(2)} dB without it.</p>`;
}

function runFacts(metrics: Metrics): [string, string][] {
  const { seconds, frames } = metrics;
  const minutes = (value: number): string => `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return [
    ['Gaussians', metrics.gaussianCount.toLocaleString('en')],
    [
      'Frames',
      `${frames.video} in the video, ${frames.tracked} tracked, ${frames.excluded} left out, ${frames.trained} learned from`,
    ],
    ['Time', `${minutes(seconds.total)}: tracking ${minutes(seconds.track)}, fit ${minutes(seconds.fit)}`],
    ['Speed', `${metrics.stepsPerSecond.toFixed(1)} steps per second`],
    ['Peak memory', `${Math.round(metrics.peakMemoryMB)} MB`],
    ['Adapter', metrics.adapter],
    ['Seed', String(metrics.seed)],
    ['Avatar (SHA-256)', metrics.avatarSha256],
  ];
}

function factRow([name, value]: readonly [string, string]): string {
  return `<tr><th scope="row">${escapeXml(name)}</th><td>${escapeXml(value)}</td></tr>`;
}

const STYLE = `
:root { color-scheme: light; --ink: #20222a; --soft: #6b7280; --line: #e5e7eb; --paper: #fff; --ground: #f6f7f9 }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui, sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px }
header { display: flex; gap: 32px; align-items: flex-start; justify-content: space-between; flex-wrap: wrap }
header > div { flex: 1 1 380px }
h1 { font-size: 26px; font-weight: 650; margin: 0 0 16px; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: 17px; font-weight: 620; margin: 0 0 4px }
p { color: var(--soft); margin: 0 0 12px; max-width: 72ch }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 20px; margin-top: 20px; overflow-x: auto }
img, video, svg { max-width: 100%; height: auto; display: block }
video { width: 340px; border-radius: 10px; border: 1px solid var(--line); background: #fff }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: 5px 24px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
th { font-weight: 500; color: var(--soft) }
.scores { margin-bottom: 12px } .scores td { font-size: 17px; font-weight: 600 } .scores td + td { font-weight: 400 }
.warnings { background: #fff8e6; border: 1px solid #f3dfa8; border-radius: 10px; padding: 12px 12px 12px 32px; margin: 20px 0 0 }
`;
