import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ByteCache } from '../../head/landmarks/embedding-cache.ts';

/** `$XDG_CACHE_HOME/fate-avatar`, or `~/.cache/fate-avatar`. */
export function defaultCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fate-avatar');
}

/** A folder as a cache. Unreadable or unwritable folders make it forgetful, not fail: a cache is a convenience. */
export function openCacheFolder(folder = defaultCacheFolder()): ByteCache {
  return {
    get: async (key) => {
      const bytes = await readFile(join(folder, key)).catch(() => null);
      return bytes && new Uint8Array(bytes);
    },
    set: async (key, bytes) => {
      // Written aside and renamed, so that a killed or a second process never leaves half an entry.
      const aside = join(folder, `${key}.${process.pid}.part`);
      await mkdir(folder, { recursive: true })
        .then(() => writeFile(aside, bytes))
        .then(() => rename(aside, join(folder, key)))
        .catch(() => undefined);
    },
  };
}
