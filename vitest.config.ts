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
    // No test may depend on models that a developer has put into the folder that is looked into by default.
    env: { FATE_MODELS: '/nonexistent' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
