import type { Command } from 'commander';
import type { MachineReport } from 'fate-avatar/node';
import { EXIT } from './exit-codes.ts';
import { runCommand } from './run-command.ts';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has (adapter, driver, limits, ffmpeg, Chromium, models) and what to install')
    .option('--models <FOLDER>', 'also look into this folder of models')
    .option('--head <MODEL>', 'also look at this head model, e.g. ict:FOLDER')
    .option('--json', 'print the findings as one JSON object on the last line')
    .action(async (flags: { models?: string; head?: string; json?: boolean }) => {
      const run = {
        json: flags.json === true,
        describe: (report: object) => describeMachine(report as MachineReport),
        exitCode: (report: object) => ((report as MachineReport).isReady ? EXIT.ok : EXIT.machine),
      };
      await runCommand(run, async () => {
        const { examineMachine } = await import('fate-avatar/node');
        return examineMachine({ modelsFolder: flags.models ?? null, head: flags.head ?? null });
      });
    });
}

function describeMachine(report: MachineReport): string {
  const { adapter, ffmpeg, chromium } = report;
  const lines: [string, string][] = [
    ['fate-avatar', report.version],
    ['system', `${report.system}, ${report.processors} processors, ${report.memoryMB} MB memory`],
    ['node', report.node],
    [
      'adapter',
      adapter ? `${adapter.description || adapter.vendor}${adapter.isSoftware ? ' (software)' : ''}` : 'NONE',
    ],
  ];
  if (adapter) {
    const { limits } = adapter;
    const megabytes = (bytes: number): string => `${Math.round(bytes / 1048576)} MiB`;
    lines.push(
      ['  driver', [adapter.vendor, adapter.architecture].filter(Boolean).join(' ')],
      ['  features', adapter.features.join(', ') || 'none of those we use'],
      ['  storage binding', megabytes(limits.maxStorageBufferBindingSize)],
      ['  largest buffer', megabytes(limits.maxBufferSize)],
      ['  storage buffers', `${limits.maxStorageBuffersPerShaderStage} per stage`],
      ['  workgroup', `${limits.maxComputeInvocationsPerWorkgroup} invocations`],
    );
  }
  const encoder = ffmpeg && !ffmpeg.hasH264Encoder ? ' — WITHOUT an H.264 encoder (libx264)' : '';
  lines.push(
    ['ffmpeg', ffmpeg ? `${ffmpeg.version} (${ffmpeg.path})${encoder}` : 'NONE'],
    ['chromium', chromium ? `${chromium.version} (${chromium.path})` : 'none (only the browser tests need it)'],
  );
  for (const model of report.models) {
    lines.push(['model', `${model.isFound ? 'found  ' : 'absent '} ${model.name}: ${model.purpose} [${model.source}]`]);
  }
  for (const head of report.heads) {
    lines.push(['head', `${head.isFound ? 'found  ' : 'ABSENT '} ${head.name}: ${head.detail}`]);
  }
  const table = lines.map(([name, value]) => `${name.padEnd(18)} ${value}`);
  const advice = report.advice.map((line) => `missing: ${line}`);
  return [...table, ...(advice.length > 0 ? ['', ...advice] : []), '', report.isReady ? 'Ready.' : 'Not ready.'].join(
    '\n',
  );
}
