import { builtinModules } from 'node:module';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import packageJson from './package.json' with { type: 'json' };
import { packageAliases } from './scripts/aliases.mjs';

const dependencies = Object.keys(packageJson.dependencies);

/** Builds the npm package: the library's four entries and the command, kernels inlined, dependencies left outside. */
export default defineConfig({
  publicDir: false,
  resolve: { alias: packageAliases },
  build: {
    target: 'es2023',
    minify: false,
    sourcemap: true,
    reportCompressedSize: false,
    lib: {
      formats: ['es'],
      entry: {
        index: resolve(import.meta.dirname, 'src/index.ts'),
        node: resolve(import.meta.dirname, 'src/platform/node/index.ts'),
        browser: resolve(import.meta.dirname, 'src/platform/browser/index.ts'),
        viewer: resolve(import.meta.dirname, 'src/viewer/index.ts'),
        cli: resolve(import.meta.dirname, 'cli/main.ts'),
      },
    },
    rolldownOptions: {
      external: (id) =>
        id.startsWith('node:') ||
        builtinModules.includes(id) ||
        dependencies.some((name) => id === name || id.startsWith(`${name}/`)),
      output: { chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});
