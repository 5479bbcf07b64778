import { fileURLToPath } from 'node:url';

const source = (path) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** The package's public entries by their published names, served from source: the command, examples and tests use these. */
export const packageAliases = [
  { find: /^fate-avatar$/, replacement: source('index.ts') },
  { find: /^fate-avatar\/node$/, replacement: source('platform/node/index.ts') },
  { find: /^fate-avatar\/browser$/, replacement: source('platform/browser/index.ts') },
  { find: /^fate-avatar\/viewer$/, replacement: source('viewer/index.ts') },
];
