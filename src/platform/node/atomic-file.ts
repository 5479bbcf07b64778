import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The file operations that writing needs; tests hand in ones that fail. */
export type FileOperations = Pick<typeof nodeFiles, 'open' | 'rename' | 'rm' | 'mkdir'>;

/** No room on the disk. What was complete before is still there: the same command goes on once there is room. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
}

/** The error as a `DiskFullError` where that is its cause (ENOSPC, EDQUOT), else unchanged. */
export function asDiskFull(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new DiskFullError(
    `The disk is full: ${path} could not be written. Free some space and run the same command again; it goes on from the last checkpoint.`,
    { cause: error },
  );
}

/**
 * Writes a file so that, whatever happens (kill −9, power, a full disk), its name holds either the old content or the
 * whole new one: temporary file, fsync, rename, fsync of the folder. Throws `DiskFullError`.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  files: FileOperations = nodeFiles,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await files.mkdir(dirname(path), { recursive: true });
    const file = await files.open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
    await syncFolder(dirname(path), files);
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => {});
    throw asDiskFull(error, path);
  }
}

/** Makes the rename itself durable. Systems that cannot open a folder (Windows) do without. */
async function syncFolder(path: string, files: FileOperations): Promise<void> {
  const folder = await files.open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** SHA-256 of a file, in hexadecimal, and its size in bytes. */
export async function fileDigest(path: string, signal?: AbortSignal): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    hash.update(part);
    bytes += part.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}
