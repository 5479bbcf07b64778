/** What the process ends with. Listed by `fate --help` and in docs/cli.md. */
export const EXIT = { ok: 0, bug: 1, usage: 2, input: 3, machine: 4, interrupted: 130 } as const;

export const EXIT_CODE_HELP = `Exit codes:
  0    done
  1    a fault of this program; please report it
  2    wrong arguments, or a folder that holds another run
  3    input that cannot be used: no face, an unsupported or damaged video, a wrong head or model file
  4    the machine: no WebGPU adapter, device lost, ffmpeg missing, disk full
  130  interrupted; the same command goes on where it stopped`;

/** Named errors of the library that say whose fault it is. Everything else is ours. */
const CODE_BY_NAME: Readonly<Record<string, number>> = {
  OptionError: EXIT.usage,
  CommanderError: EXIT.usage,
  RunFolderError: EXIT.usage,
  NoFaceFoundError: EXIT.input,
  UnsupportedVideoError: EXIT.input,
  HeadModelError: EXIT.input,
  ModelError: EXIT.input,
  NoUsableFaceError: EXIT.input,
  TrackFileError: EXIT.input,
  UnusableClipError: EXIT.input,
  UnusableAvatarError: EXIT.input,
  TensorFileError: EXIT.input,
  EditError: EXIT.input,
  ImportError: EXIT.input,
  MapsFileError: EXIT.input,
  NetworkError: EXIT.input,
  PngError: EXIT.input,
  ResampleError: EXIT.input,
  NoAdapterError: EXIT.machine,
  DeviceLostError: EXIT.machine,
  DiskFullError: EXIT.machine,
  FfmpegMissingError: EXIT.machine,
  AbortError: EXIT.interrupted,
};

const CODE_BY_SYSTEM_CODE: Readonly<Record<string, number>> = {
  ENOSPC: EXIT.machine,
  EDQUOT: EXIT.machine,
  EROFS: EXIT.machine,
  EACCES: EXIT.machine,
  EPERM: EXIT.machine,
  ENOENT: EXIT.usage,
  ENOTDIR: EXIT.usage,
  EISDIR: EXIT.usage,
  EEXIST: EXIT.usage,
};

/** The exit code for an error: by the innermost name among its causes, else by a system error code. */
export function exitCodeOf(error: unknown): number {
  const chain: Error[] = [];
  for (let current = error; current instanceof Error && chain.length < 10; current = current.cause) chain.push(current);
  const named = chain.toReversed().find((cause) => CODE_BY_NAME[cause.name] !== undefined);
  if (named) return CODE_BY_NAME[named.name]!;
  const codes = chain.map((cause) => CODE_BY_SYSTEM_CODE[(cause as NodeJS.ErrnoException).code ?? '']);
  return codes.find((code) => code !== undefined) ?? EXIT.bug;
}
