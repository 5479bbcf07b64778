import { describe, expect, expectTypeOf, it } from 'vitest';
import { choice, integer, number, OptionError, parseOption, resolveOptions, text, toggle } from './options.ts';

const TABLE = {
  size: choice({ choices: [256, 512], default: 256, unit: 'pixels', help: 'edge of the crop' }),
  steps: integer({ default: null, min: 1, help: 'optimiser steps' }),
  rate: number({ default: 0.5, min: 0, max: 1, help: 'rate' }),
  models: text({ default: null, placeholder: 'FOLDER', help: 'models' }),
  force: toggle({ help: 'go on' }),
} as const;

describe('resolveOptions', () => {
  it('fills in the defaults and keeps what is given', () => {
    const options = resolveOptions(TABLE, { steps: 10, force: true });
    expect(options).toEqual({ size: 256, steps: 10, rate: 0.5, models: null, force: true });
    expectTypeOf(options.size).toEqualTypeOf<256 | 512>();
    expectTypeOf(options.steps).toEqualTypeOf<number | null>();
    expectTypeOf(options.force).toEqualTypeOf<boolean>();
  });

  it.each([
    [{ steps: 1.5 }, 'option "steps" is 1.5, but must be a whole number of at least 1'],
    [{ rate: Number.NaN }, 'option "rate" is null, but must be a number from 0 to 1'],
    [{ rate: 2 }, 'must be a number from 0 to 1'],
    [{ size: 300 as 256 }, 'one of 256, 512'],
    [{ models: '' }, 'a text that is not empty'],
    [{ sise: 256 } as object, 'unknown option "sise"; there are size, steps'],
  ])('refuses %j', (given, message) => {
    expect(() => resolveOptions(TABLE, given)).toThrow(OptionError);
    expect(() => resolveOptions(TABLE, given)).toThrow(message);
  });
});

describe('parseOption', () => {
  it('reads numbers and texts', () => {
    expect(parseOption('size', TABLE.size, '512')).toBe(512);
    expect(parseOption('steps', TABLE.steps, '7')).toBe(7);
    expect(parseOption('models', TABLE.models, 'a/b')).toBe('a/b');
  });

  it.each(['', 'x', '1e400', '0'])('refuses "%s" steps', (given) => {
    expect(() => parseOption('steps', TABLE.steps, given)).toThrow(`option "steps" is "${given}"`);
  });
});
