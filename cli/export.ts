import type { Command } from 'commander';
import { EXPORT_OPTIONS, type ExportOptions } from 'fate-avatar';
import { addFlags, pickOptions } from './flags.ts';
import { runCommand } from './run-command.ts';

interface ExportFlags extends Partial<ExportOptions> {
  readonly ply?: string;
  readonly package?: string;
  readonly baked?: boolean;
  readonly edited?: boolean;
  readonly json?: boolean;
}

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('the avatar for other programs: Gaussians as PLY, or all of a baked avatar in one small file')
    .argument('<dir>', 'folder of a fitted avatar')
    .option('--ply <FILE>', 'PLY file to write: neutral pose, 3DGS layout, metres')
    .option('--package <FILE>', 'file to write (.fate): the baked avatar, ready to be shown and posed')
    .option('--baked', 'the avatar as its baked maps have it (`fate bake`)')
    .option('--edited', 'the baked avatar with its edits (`fate edit`)')
    .option('--json', 'print what was written as one JSON object on the last line');
  addFlags(command, EXPORT_OPTIONS).action(async (folder: string, flags: ExportFlags & Record<string, unknown>) => {
    await runCommand({ json: flags.json === true }, async (context) => {
      const { exportAvatar } = await import('fate-avatar/node');
      const { ply, package: packageFile, baked, edited } = flags;
      const options = pickOptions(EXPORT_OPTIONS, flags);
      return exportAvatar({ folder, ply, package: packageFile, baked, edited, ...options }, context);
    });
  });
}
