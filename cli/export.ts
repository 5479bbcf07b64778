import type { Command } from 'commander';
import { runCommand } from './run-command.ts';

export function addExport(program: Command): void {
  program
    .command('export')
    .description('the avatar’s Gaussians for other programs')
    .argument('<dir>', 'folder of a fitted avatar')
    .requiredOption('--ply <FILE>', 'PLY file to write: neutral pose, 3DGS layout, metres')
    .option('--baked', 'the avatar as its baked maps have it (`fate bake`)')
    .option('--edited', 'the baked avatar with its edits (`fate edit`)')
    .option('--json', 'print what was written as one JSON object on the last line')
    .action(async (folder: string, flags: { ply: string; baked?: boolean; edited?: boolean; json?: boolean }) => {
      await runCommand({ json: flags.json === true }, async (context) => {
        const { exportAvatar } = await import('fate-avatar/node');
        return exportAvatar({ folder, ply: flags.ply, baked: flags.baked, edited: flags.edited }, context);
      });
    });
}
