import type { Command } from 'commander';
import type { Metrics } from 'fate-avatar';
import { describeMetrics } from './describe-metrics.ts';
import { runCommand } from './run-command.ts';

interface EvaluateFlags {
  readonly models?: string;
  readonly baked?: boolean;
  readonly edited?: boolean;
  readonly json?: boolean;
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('score the held-out frames (PSNR in dB, SSIM), and write pictures and metrics.json to DIR/report')
    .argument('<dir>', 'folder of a fitted avatar')
    .option('--models <FOLDER>', 'folder with weights of LPIPS, to score that too (default: that of the track)')
    .option(
      '--baked',
      'score the baked maps (see `fate bake`) instead of the fitted Gaussians, and add them to the report',
    )
    .option('--edited', 'score the baked avatar with its edits (see `fate edit`), against the person as filmed')
    .option('--json', 'print the metrics as one JSON object on the last line')
    .action(async (folder: string, flags: EvaluateFlags) => {
      const describe = (result: object): string =>
        describeMetrics(result as Metrics, folder, flags.edited ? 'edited/held-out.png' : 'report.html');
      await runCommand({ json: flags.json === true, describe }, async (context) => {
        const { evaluateAvatar, evaluateBaked, evaluateEdited } = await import('fate-avatar/node');
        const evaluate = flags.edited ? evaluateEdited : flags.baked ? evaluateBaked : evaluateAvatar;
        return evaluate({ folder, models: flags.models ?? null }, context);
      });
    });
}
