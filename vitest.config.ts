import { defineConfig } from 'vitest/config';
import { packageAliases } from './scripts/aliases.mjs';

export default defineConfig({
  resolve: { alias: packageAliases },
  test: {
    include: [
      'src/**/*.test.ts',
      'cli/**/*.test.ts',
      'scripts/**/*.test.ts',
      'test/**/*.test.ts',
      'examples/**/*.test.ts',
    ],
    // One process at a time: every test file shares two cores with the software GPU driver.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
