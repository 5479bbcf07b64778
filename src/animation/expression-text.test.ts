import { describe, expect, it } from 'vitest';
import { parseExpression } from './expression-text.ts';

describe('parseExpression', () => {
  it('reads names and weights', () => {
    expect(parseExpression('smile=0.5, jawOpen = .25,eyeBlinkLeft=1')).toEqual({
      smile: 0.5,
      jawOpen: 0.25,
      eyeBlinkLeft: 1,
    });
  });

  it.each(['smile', 'smile=2', 'smile=-0.1', 'smile=x', '', 'smile=0.5,', '=0.5', 'a=b=0.5'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseExpression(text)).toThrow(/must be NAME=VALUE with a value from 0 to 1/);
    },
  );
});
