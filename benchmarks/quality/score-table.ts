import type { Metrics } from '../../src/evaluation/metrics-file.ts';
import type { Progress } from '../../src/video/frame.ts';

/** A run's name and what it reached. */
export interface ScoreRow {
  readonly name: string;
  readonly metrics: Metrics;
}

/** Scores in Markdown, each fitted / as tracked. */
export function scoreTable(rows: readonly ScoreRow[]): string {
  const number = (value: number | null | undefined, digits: number): string => (value ?? Number.NaN).toFixed(digits);
  const lines = rows.map(({ name, metrics: { heldOut, gaussianCount, seconds, stepsPerSecond, peakMemoryMB } }) => {
    const pair = (pick: 'psnr' | 'psnrForeground' | 'ssim', digits: number): string =>
      `${number(heldOut?.fitted[pick], digits)} / ${number(heldOut?.[pick], digits)}`;
    const scores = [pair('psnr', 2), pair('psnrForeground', 2), pair('ssim', 4)];
    const costs = [gaussianCount, stepsPerSecond.toFixed(1), Math.round(seconds.total), Math.round(peakMemoryMB)];
    return `| ${[name, ...scores, ...costs].join(' | ')} |`;
  });
  const head = ['', 'PSNR, dB', 'foreground, dB', 'SSIM', 'Gaussians', 'steps/s', 'seconds', 'MB'];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n');
}

/** Of runs that differ in their seeds alone, and so share a name: each score's mean, and the score of each. */
export function seedTable(rows: readonly ScoreRow[]): string {
  const names = [...new Set(rows.map(({ name }) => name))];
  const lines = names.map((name) => {
    const scores = rows.filter((row) => row.name === name).map(({ metrics }) => metrics.heldOut);
    const cell = (digits: number, pick: (score: (typeof scores)[number]) => number | undefined): string => {
      const each = scores.map((score) => pick(score) ?? Number.NaN);
      const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
      return `${mean.toFixed(digits)} (${each.map((value) => value.toFixed(digits)).join(', ')})`;
    };
    return `| ${[name, cell(2, (score) => score?.fitted.psnr), cell(2, (score) => score?.psnr), cell(4, (score) => score?.fitted.ssim)].join(' | ')} |`;
  });
  const head = ['', 'PSNR fitted, dB', 'as tracked, dB', 'SSIM fitted'];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n');
}

/** Prints a stage's progress every fifteen seconds. */
export function showProgress(): (progress: Progress) => void {
  let last = 0;
  return ({ stage, done, total, note }) => {
    if (Date.now() - last < 15_000 && done < total) return;
    last = Date.now();
    console.error(`${stage} ${done}/${total} ${note ?? ''}`);
  };
}
