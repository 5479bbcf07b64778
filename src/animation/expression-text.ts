import { OptionError } from '../options.ts';

/** Expression weights by name, from text such as `smile=0.8,jawOpen=0.2`. Throws `OptionError` for another form. */
export function parseExpression(text: string): Record<string, number> {
  const weights = text.split(',').map((part) => {
    const [name = '', given = '', ...rest] = part.split('=').map((piece) => piece.trim());
    const value = given === '' ? Number.NaN : Number(given);
    if (name === '' || rest.length > 0 || !(value >= 0 && value <= 1)) {
      throw new OptionError(`expression "${part.trim()}" must be NAME=VALUE with a value from 0 to 1`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(weights);
}
