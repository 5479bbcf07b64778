import { EditError } from './layers.ts';

/** Colours that have a name here, besides #rgb and #rrggbb. */
const NAMED: Readonly<Record<string, string>> = {
  black: '#000000', white: '#ffffff', gray: '#808080', grey: '#808080', red: '#ff0000', green: '#008000',
  blue: '#0000ff', yellow: '#ffff00', orange: '#ffa500', purple: '#800080', pink: '#ffc0cb', brown: '#a52a2a',
  teal: '#008080', navy: '#000080', silver: '#c0c0c0', gold: '#ffd700',
}; // prettier-ignore

/** RGB 0…1 of #rgb, #rrggbb or one of a few names. Throws `EditError`. */
export function parseColor(text: string): [number, number, number] {
  const hex = hexOf(text);
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as [number, number, number];
}

/** The colour as #rrggbb. Throws `EditError`. */
export function hexOf(text: string): string {
  const given = text.trim().toLowerCase();
  if (/^#[0-9a-f]{6}$/.test(given)) return given;
  if (/^#[0-9a-f]{3}$/.test(given)) return `#${[...given.slice(1)].map((digit) => digit + digit).join('')}`;
  const named = NAMED[given];
  if (named) return named;
  throw new EditError(
    `colour "${text}" is not known; write it as #3a1f7a or #f80, or one of ${Object.keys(NAMED).join(', ')}`,
  );
}
