import { spawn, type ChildProcess } from 'node:child_process';

/** Name or path of the ffmpeg program: `FFMPEG_PATH`, else `ffmpeg` on the search path. */
export function ffmpegPath(): string {
  return process.env.FFMPEG_PATH || 'ffmpeg';
}

/** How to get ffmpeg; part of every error about its absence. */
export const FFMPEG_HELP =
  'Install it (Debian and Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg) or set FFMPEG_PATH to the program.';

/** ffmpeg cannot be started. */
export class FfmpegMissingError extends Error {
  override readonly name = 'FfmpegMissingError';
}

/** What `ffmpeg -version` tells. */
export interface FfmpegVersion {
  /** As printed, e.g. `5.1.9-0+deb12u1`. */
  readonly version: string;
  readonly major: number;
  readonly minor: number;
}

const versions = new Map<string, Promise<FfmpegVersion>>();

/** Asks ffmpeg for its version, once per program. Throws `FfmpegMissingError` when it cannot be started. */
export function ffmpegVersion(): Promise<FfmpegVersion> {
  const program = ffmpegPath();
  let version = versions.get(program);
  if (!version) {
    version = askVersion(program);
    versions.set(program, version);
    version.catch(() => versions.delete(program));
  }
  return version;
}

async function askVersion(program: string): Promise<FfmpegVersion> {
  const child = spawn(program, ['-version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const end = await childEnd(child);
  if (end.error || end.code !== 0)
    throw new FfmpegMissingError(`ffmpeg, which decodes video, cannot be started as "${program}". ${FFMPEG_HELP}`, {
      cause: end.error,
    });
  const version = /^ffmpeg version (\S+)/.exec(text)?.[1] ?? 'unknown';
  // A build from the development branch has no number: take it for new.
  const numbers = /(\d+)\.(\d+)/.exec(version);
  return { version, major: Number(numbers?.[1] ?? 99), minor: Number(numbers?.[2] ?? 0) };
}

/** How a child process ended; never rejects. */
export function childEnd(child: ChildProcess): Promise<{ code: number | null; error?: Error }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }));
    child.once('close', (code) => resolve({ code }));
  });
}
