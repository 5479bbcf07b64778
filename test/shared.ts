import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = process.env.FATE_SHARED ?? resolve(import.meta.dirname, '../../shared');

/** Path of a file or folder of the test data beside the project, or null where it is absent (then the test skips). */
export function sharedPath(relative: string): string | null {
  const path = resolve(root, relative);
  return existsSync(path) ? path : null;
}
