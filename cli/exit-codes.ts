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
  TensorFileError: EXIT.input,
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

/** The exit code for an error, by its name, its system error code, or those of its cause. */
export function exitCodeOf(error: unknown): number {
  for (let current = error; current instanceof Error; current = current.cause) {
    const systemCode = (current as NodeJS.ErrnoException).code;
    const code = CODE_BY_NAME[current.name] ?? CODE_BY_SYSTEM_CODE[systemCode ?? ''];
    if (code !== undefined) return code;
  }
  return EXIT.bug;
}
