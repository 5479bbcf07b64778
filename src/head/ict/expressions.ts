import { ARKIT_EXPRESSION_NAMES } from '../head-model.ts';
import { ICT_EXPRESSION_SHAPES } from './layout.ts';

export interface IctExpression {
  /** ARKit's name where there is one. */
  readonly name: string;
  /** ICT shapes whose sum it is. */
  readonly shapes: readonly string[];
}

/**
 * ICT's shapes under ARKit's names, in ARKit's order, then ICT's own (`cheekRaiserLeft/Right`). `_L` and `_R` become
 * `Left` and `Right`; where ARKit has one shape for both sides (`browInnerUp`, `cheekPuff`) it is the sum of the two.
 * ICT has no `tongueOut`.
 */
export function ictExpressions(): IctExpression[] {
  const arkit: readonly string[] = ARKIT_EXPRESSION_NAMES;
  const shapesOf = new Map<string, string[]>();
  for (const shape of ICT_EXPRESSION_SHAPES) {
    const base = shape.replace(/_[LR]$/, '');
    const sided = shape.replace(/_L$/, 'Left').replace(/_R$/, 'Right');
    const name = arkit.includes(base) ? base : sided;
    shapesOf.set(name, [...(shapesOf.get(name) ?? []), shape]);
  }
  const names = [
    ...arkit.filter((name) => shapesOf.has(name)),
    ...[...shapesOf.keys()].filter((name) => !arkit.includes(name)),
  ];
  return names.map((name) => ({ name, shapes: shapesOf.get(name)! }));
}
