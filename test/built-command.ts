import { join, resolve } from 'node:path';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '..');

/** Builds the package as it is published and returns the path of the command. For tests that run it as a process. */
export async function builtCommand(): Promise<string> {
  const outDir = join(root, 'node_modules/.cache/fate-avatar/test-build');
  await build({
    configFile: join(root, 'vite.config.ts'),
    root,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, sourcemap: false },
  });
  return join(outDir, 'cli.js');
}
