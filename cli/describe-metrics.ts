import type { Metrics } from 'fate-avatar';

/** What `create`, `evaluate` and `demo` tell a reader. `folder` is the run's, `page` what to look at in its report. */
export function describeMetrics(metrics: Metrics, folder: string, page = 'report.html'): string {
  const { heldOut, seconds, frames } = metrics;
  const decibels = (value: number | null): string => (value === null ? '–' : `${value.toFixed(2)} dB`);
  const lines = heldOut
    ? [
        `Held out: ${heldOut.frames} frames    fitted      as tracked`,
        `  PSNR                  ${decibels(heldOut.fitted.psnr)}    ${decibels(heldOut.psnr)}`,
        `  PSNR, foreground      ${decibels(heldOut.fitted.psnrForeground)}    ${decibels(heldOut.psnrForeground)}`,
        `  SSIM                  ${heldOut.fitted.ssim.toFixed(4)}      ${heldOut.ssim.toFixed(4)}`,
      ]
    : ['No frame was held out; there are no scores.'];
  if (heldOut && heldOut.lpips !== null)
    lines.push(`  LPIPS (AlexNet)       ${heldOut.fitted.lpips?.toFixed(4)}      ${heldOut.lpips.toFixed(4)}`);
  const minutes = (value: number): string =>
    `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, '0')}`;
  lines.push(
    `${metrics.gaussianCount} Gaussians, ${metrics.stepsPerSecond.toFixed(1)} steps/s, peak memory ${Math.round(metrics.peakMemoryMB)} MB`,
    `tracking ${minutes(seconds.track)}, fit ${minutes(seconds.fit)}, total ${minutes(seconds.total)}`,
  );
  if (frames.excluded > 0) lines.push(`${frames.excluded} of ${frames.tracked} frames were left out`);
  for (const warning of metrics.warnings) lines.push(`warning: ${warning}`);
  lines.push(`Look at ${folder}/report/${page}`);
  return lines.join('\n');
}
