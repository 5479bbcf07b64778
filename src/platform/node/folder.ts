import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadModelError } from '../../head/head-model.ts';
import type { Folder } from '../../head/folder.ts';

/** Deep enough for any model's folder, shallow enough that a wrong path such as `/` is not walked for minutes. */
const MAX_DEPTH = 3;
const MAX_FILES = 20_000;

/** A directory on disk as a `Folder`. Throws `HeadModelError` when `path` is no directory. */
export async function openFolder(path: string): Promise<Folder> {
  const info = await stat(path).catch(() => null);
  if (!info?.isDirectory()) {
    throw new HeadModelError(
      `The head model's folder ${path} ${info ? 'is a file' : 'does not exist'}; give a directory.`,
    );
  }
  return {
    name: path,
    listFiles: () => listFilesBelow(path),
    readFile: async (file) => new Uint8Array(await readFile(join(path, file))),
  };
}

async function listFilesBelow(root: string): Promise<string[]> {
  const files: string[] = [];
  const visit = async (relative: string, depth: number): Promise<void> => {
    const entries = await readdir(join(root, relative), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = relative ? `${relative}/${entry.name}` : entry.name;
      if (files.length >= MAX_FILES) return;
      if (entry.isDirectory() && depth < MAX_DEPTH && !entry.name.startsWith('.')) await visit(child, depth + 1);
      else if (entry.isFile() || entry.isSymbolicLink()) files.push(child);
    }
  };
  await visit('', 0);
  return files;
}
