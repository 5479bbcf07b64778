import type { Command } from 'commander';
import { FIT_RUN_OPTIONS } from 'fate-avatar';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

export function addFit(program: Command): void {
  const command = program
    .command('fit')
    .description('fit Gaussians to a tracked video')
    .argument('<dir>', 'folder that `fate track` wrote');
  addFlags(command, FIT_RUN_OPTIONS)
    .option('--json', 'print the result as one JSON object on the last line')
    .action(async (folder: string, flags: Record<string, unknown>) => {
      await runCommand({ json: flags.json === true }, async (context) => {
        const { fitAvatar } = await import('fate-avatar/node');
        return fitAvatar({ folder, ...pickOptions(FIT_RUN_OPTIONS, flags) }, context);
      });
    });
}
