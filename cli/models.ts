import type { Command } from 'commander';
import type { ModelFileReport } from 'fate-avatar/node';
import { EXIT } from './exit-codes.ts';
import { runCommand } from './run-command.ts';

export function addModels(program: Command): void {
  program
    .command('models')
    .description('the optional model files: what each is for, where it comes from, its licence, and whether it is here')
    .option('--models <FOLDER>', 'folder to look into (default: $FATE_MODELS, or the cache folder’s "models")')
    .option('--json', 'print the findings as one JSON object on the last line')
    .action(async (flags: { models?: string; json?: boolean }) => {
      const run = {
        json: flags.json === true,
        describe: (report: object) => describeModels(report as ModelsReport),
        exitCode: (report: object) =>
          (report as ModelsReport).files.some((file) => file.fault !== null) ? EXIT.input : EXIT.ok,
      };
      await runCommand(run, async () => {
        const { examineModels } = await import('fate-avatar/node');
        return examineModels(flags.models ?? null);
      });
    });
}

type ModelsReport = { folder: string; files: readonly ModelFileReport[] };

function describeModels({ folder, files }: ModelsReport): string {
  const lines = [`Looked for in ${folder}. None of them is needed, and none is downloaded: fetch what you want.`];
  for (const file of files) {
    const state = file.fault ? `NOT USABLE: ${file.fault}` : file.isFound ? 'found, usable' : 'absent';
    lines.push(
      '',
      `${file.file}: ${state}`,
      `  for       ${file.purpose}${file.needs ? `; together with ${file.needs}` : ''}`,
      `  from      ${file.origin}`,
      `  licence   ${file.licence}`,
      `  sha256    ${file.knownSha256 ?? 'not known to this release'}`,
    );
    if (file.isFound && file.sha256 !== file.knownSha256) {
      lines.push(`  here      ${file.sha256}${file.knownSha256 ? ' (another file than the published one)' : ''}`);
    }
  }
  return lines.join('\n');
}
