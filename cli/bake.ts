import type { Command } from 'commander';
import { BAKE_RUN_OPTIONS } from 'fate-avatar';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

export function addBake(program: Command): void {
  const command = program
    .command('bake')
    .description('turn a fitted avatar’s attributes into images in UV: DIR/baked, which paint programs open')
    .argument('<dir>', 'folder of a fitted avatar');
  addFlags(command, BAKE_RUN_OPTIONS)
    .option('--json', 'print the result as one JSON object on the last line')
    .action(async (folder: string, flags: Record<string, unknown>) => {
      await runCommand({ json: flags.json === true }, async (context) => {
        const { bakeRun } = await import('fate-avatar/node');
        return bakeRun({ folder, ...pickOptions(BAKE_RUN_OPTIONS, flags) }, context);
      });
    });
}
