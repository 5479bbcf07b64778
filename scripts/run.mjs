// Runs a TypeScript entry (with `.wgsl?raw` imports) straight from source: node scripts/run.mjs FILE [ARG ...]
import { runnerImport } from 'vite';
import { resolve } from 'node:path';
import { packageAliases } from './aliases.mjs';

const [file, ...args] = process.argv.slice(2);
if (!file) {
  console.error('usage: node scripts/run.mjs FILE.ts [ARG ...]');
  process.exit(2);
}
process.argv = [process.argv[0], resolve(file), ...args];
await runnerImport(resolve(file), { configFile: false, logLevel: 'error', resolve: { alias: packageAliases } });
