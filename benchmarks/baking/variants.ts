import type { BakeCommandOptions } from '../../src/baking/bake-command-options.ts';

/** A bake with one thing chosen differently. */
export interface BakeCase {
  readonly name: string;
  readonly options: Partial<BakeCommandOptions>;
}

/** The paper's Tables 4 and 7, as far as they concern baking. */
export const VARIANTS: readonly BakeCase[] = [
  { name: 'all maps (two-stage)', options: {} },
  { name: 'appearance only', options: { variant: 'appearance' } },
  { name: 'one-stage', options: { variant: 'oneStage' } },
  { name: 'decoder only', options: { variant: 'decoderOnly' } },
  { name: 'free feature map', options: { variant: 'freeMap' } },
  { name: 'without attribute regularisation', options: { attributeWeight: 0 } },
  { name: 'attribute regularisation 0.1', options: { attributeWeight: 0.1 } },
  { name: 'attribute regularisation 1', options: { attributeWeight: 1 } },
  { name: 'without rotation regularisation', options: { tiltWeight: 0 } },
  { name: 'rotation regularisation 0.1', options: { tiltWeight: 0.1 } },
];

/** K: frames that share the maps. All see the same frames in the same order. */
export const HOLDS: readonly BakeCase[] = [1, 2, 4, 8, 16, 32].map((hold) => ({
  name: `K = ${hold}`,
  options: { hold },
}));
