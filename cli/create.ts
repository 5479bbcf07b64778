import type { Command } from 'commander';
import { CREATE_OPTIONS, type Metrics } from 'fate-avatar';
import { describeMetrics } from './describe-metrics.ts';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

export function addCreate(program: Command): void {
  const command = program
    .command('create')
    .description('make an avatar from a portrait video: track, fit, score, and pictures in DIR/report')
    .argument('<video>', 'the video: one person, facing the camera, turning the head and talking')
    .requiredOption('--out <DIR>', 'folder for the avatar; an interrupted run goes on from there');
  addFlags(command, CREATE_OPTIONS)
    .option('--json', 'print the metrics as one JSON object on the last line')
    .action(async (video: string, flags: Record<string, unknown>) => {
      const describe = (result: object): string => describeMetrics(result as Metrics, flags.out as string);
      await runCommand({ json: flags.json === true, describe }, async (context) => {
        const { createAvatar } = await import('fate-avatar/node');
        return createAvatar({ video, out: flags.out as string, ...pickOptions(CREATE_OPTIONS, flags) }, context);
      });
    });
}
