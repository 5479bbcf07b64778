import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BAKE_RUN_OPTIONS, CREATE_OPTIONS, RENDER_OPTIONS, type OptionTable } from 'fate-avatar';
import { describe, expect, it } from 'vitest';
import { EXIT } from './exit-codes.ts';

const page = readFileSync(resolve(import.meta.dirname, '../docs/cli.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('|'));

describe('docs/cli.md', () => {
  it.each([
    ['create', CREATE_OPTIONS as OptionTable],
    ['bake', BAKE_RUN_OPTIONS as OptionTable],
    ['render', RENDER_OPTIONS as OptionTable],
  ])('has every flag of %s with its default', (_, table) => {
    for (const [name, spec] of Object.entries(table)) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const row = rows.filter((line) => line.startsWith(`| \`${flag}`));
      expect(row, `a row for ${flag}`).not.toHaveLength(0);
      if (spec.default === null) continue;
      const shown = spec.kind === 'switch' ? 'off' : String(spec.default);
      const hasDefault = row.some((line) => line.split('|')[3]!.trim().replaceAll('`', '') === shown);
      expect(hasDefault, `default ${shown} of ${flag}`).toBe(true);
    }
  });

  it('has every exit code', () => {
    for (const code of Object.values(EXIT))
      expect(
        rows.some((line) => line.startsWith(`| ${code} |`)),
        String(code),
      ).toBe(true);
  });
});
