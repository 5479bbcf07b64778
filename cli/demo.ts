import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CREATE_OPTIONS, type Metrics } from 'fate-avatar';
import { describeMetrics } from './describe-metrics.ts';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('make a synthetic subject’s video on this machine, and an avatar from it')
    .option('--out <DIR>', 'folder for the avatar; the video goes to DIR-subject beside it', 'out/demo');
  addFlags(command, CREATE_OPTIONS)
    .option('--json', 'print the metrics as one JSON object on the last line')
    .action(async (flags: Record<string, unknown>) => {
      const describe = (result: object): string => describeMetrics(result as Metrics, flags.out as string);
      await runCommand({ json: flags.json === true, describe }, async (context) => {
        const { createAvatar, createDemoVideo, measureDemoTrack, measureDemoViews } = await import('fate-avatar/node');
        const out = resolve(flags.out as string);
        const video = await createDemoVideo({ folder: `${out}-subject` }, context);
        const metrics = await createAvatar({ video, out, ...pickOptions(CREATE_OPTIONS, flags) }, context);
        const isBuiltin = (flags.head ?? 'builtin') === 'builtin'; // the exact track is of this head
        const trackError = isBuiltin ? await measureDemoTrack({ folder: out, subject: `${out}-subject` }) : null;
        const exactViews = isBuiltin
          ? await measureDemoViews({ folder: out, subject: `${out}-subject` }, context)
          : null;
        return { ...metrics, trackError, exactViews };
      });
    });
}
