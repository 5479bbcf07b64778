import { expect, it } from 'vitest';
import type { GaussianSet } from '../gaussians/layout.ts';
import { closeBack } from './close-back.ts';
import { NOTHING, OPAQUE } from './draw-in.ts';

it('makes solid what is faint behind the head, and nothing else', () => {
  const rows = [
    { logit: -4, facing: -0.6, group: 'hair', after: OPAQUE },
    { logit: 1, facing: -0.6, group: 'hair', after: 1 }, // solid already
    { logit: NOTHING, facing: -0.6, group: 'neck', after: NOTHING }, // below the pictures, for good
    { logit: -4, facing: -0.1, group: 'skin', after: -4 }, // on the outline in some frame
    { logit: -4, facing: 0.8, group: 'skin', after: -4 },
    { logit: -4, facing: -0.6, group: null, after: -4 },
  ] as const;
  const gaussians = { opacityLogit: Float32Array.from(rows, ({ logit }) => logit) } as unknown as GaussianSet;
  const { opacityLogit } = closeBack({
    gaussians,
    facing: Float32Array.from(rows, ({ facing }) => facing),
    groups: rows.map(({ group }) => group),
  });
  rows.forEach(({ after }, i) => expect(opacityLogit[i]).toBeCloseTo(after, 5));
});
