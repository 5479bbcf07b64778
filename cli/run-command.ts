import type { OnProgress } from 'fate-avatar';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { createProgressDisplay } from './progress.ts';

/** What every library call takes beside its options. */
export interface CommandContext {
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

export interface CommandRun {
  /** Print one JSON object as the last line of stdout. */
  readonly json: boolean;
  /** The result for a reader; without it, one `name  value` line per field. */
  readonly describe?: (result: object) => string;
  /** The exit code for a result; 0 without it. */
  readonly exitCode?: (result: object) => number;
}

/**
 * Runs one library call as a process: progress to stderr, the result to stdout, Ctrl-C to its `AbortSignal`, errors to
 * one sentence and an exit code. Ends the process.
 */
export async function runCommand(run: CommandRun, work: (context: CommandContext) => Promise<object>): Promise<never> {
  const display = createProgressDisplay();
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    display.log('Stopping at the next checkpoint; Ctrl-C again stops at once.');
    controller.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const context = { onProgress: display.onProgress, signal: controller.signal, log: display.log };
    const result = await Promise.race([work(context), firstStrayError()]);
    display.stop();
    const text = run.json ? JSON.stringify(result) : (run.describe ?? describeFields)(result);
    return await finish(text ? `${text}\n` : '', run.exitCode?.(result) ?? EXIT.ok);
  } catch (error) {
    display.stop();
    return await fail(error, run.json);
  }
}

/** Reports an error and ends the process with its code. */
export async function fail(error: unknown, json: boolean): Promise<never> {
  const exitCode = exitCodeOf(error);
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  if (exitCode === EXIT.interrupted) process.stderr.write('Interrupted; the same command goes on where it stopped.\n');
  else if (exitCode === EXIT.bug) process.stderr.write(`This is a fault of fate-avatar:\n${stack ?? message}\n`);
  else process.stderr.write(`fate: ${message}\n`);
  return finish(json ? `${JSON.stringify({ error: { name, message }, exitCode })}\n` : '', exitCode);
}

/** Rejects with the first error that no promise of ours carries. */
function firstStrayError(): Promise<never> {
  return new Promise((_, reject) => {
    process.once('uncaughtException', reject).once('unhandledRejection', reject);
  });
}

/** Ends the process once stdout has taken the text; GPU handles would keep it alive otherwise. */
async function finish(text: string, exitCode: number): Promise<never> {
  await new Promise<void>((resolve) => {
    process.stdout.write(text, () => resolve());
  });
  process.exit(exitCode);
}

function describeFields(result: object): string {
  return rows(result, '')
    .map(([name, value]) => `${name.padEnd(28)} ${value}`)
    .join('\n');
}

function rows(value: object, prefix: string): [string, string][] {
  return Object.entries(value).flatMap(([name, field]): [string, string][] => {
    if (field === null || field === undefined || Array.isArray(field)) return [];
    if (typeof field === 'object') return rows(field as object, `${prefix}${name}.`);
    const isFraction = typeof field === 'number' && !Number.isInteger(field);
    return [[prefix + name, isFraction ? String(Number(field.toPrecision(4))) : String(field)]];
  });
}
