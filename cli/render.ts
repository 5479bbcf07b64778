import type { Command } from 'commander';
import { RENDER_OPTIONS } from 'fate-avatar';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

export function addRender(program: Command): void {
  const command = program
    .command('render')
    .description('a picture of the avatar (FILE.png), or a full turn round it (--orbit, FILE.mp4)')
    .argument('<dir>', 'folder of a fitted avatar')
    .requiredOption('--out <FILE>', 'file to write: .png for a picture, .mp4 for a turn');
  addFlags(command, RENDER_OPTIONS)
    .option('--json', 'print what was written as one JSON object on the last line')
    .action(async (folder: string, flags: Record<string, unknown>) => {
      await runCommand({ json: flags.json === true }, async (context) => {
        const { renderAvatar } = await import('fate-avatar/node');
        return renderAvatar({ folder, out: flags.out as string, ...pickOptions(RENDER_OPTIONS, flags) }, context);
      });
    });
}
