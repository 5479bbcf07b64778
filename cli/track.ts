import type { Command } from 'commander';
import { TRACK_COMMAND_OPTIONS } from 'fate-avatar';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

export function addTrack(program: Command): void {
  const command = program
    .command('track')
    .description('find the camera, and the head’s pose and expression in every frame')
    .argument('<video>', 'the video: one person, facing the camera, turning the head and talking')
    .requiredOption('--out <DIR>', 'folder for the track; `fate fit` goes on from there');
  addFlags(command, TRACK_COMMAND_OPTIONS)
    .option('--json', 'print what was found as one JSON object on the last line')
    .action(async (video: string, flags: Record<string, unknown>) => {
      await runCommand({ json: flags.json === true }, async (context) => {
        const { trackVideo } = await import('fate-avatar/node');
        return trackVideo({ video, out: flags.out as string, ...pickOptions(TRACK_COMMAND_OPTIONS, flags) }, context);
      });
    });
}
