import { describe, expect, it } from 'vitest';
import { describeDifferentiable, type DifferentiableOperation } from '../../../test/describe-differentiable.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import { randomNormal } from '../../math/random.ts';
import { activateBackwardReference, activateReference } from './activate.reference.ts';
import { createActivate, type ChannelActivation } from './activate.ts';

interface Setting {
  readonly size: number;
  readonly channels: readonly ChannelActivation[];
}

const operation: DifferentiableOperation<Setting> = {
  name: 'activate maps',
  forward: ({ raw }, { channels }) => ({ maps: activateReference(raw!, channels) }),
  backward: ({ raw }, { maps }, { channels }) => ({ raw: activateBackwardReference(raw!, maps!, channels) }),
  async runOnGpu(gpu, { raw }, { maps: mapGradient }, { size, channels }) {
    const buffers = {
      raw: createStorageBuffer(gpu, 'raw', raw!),
      maps: createStorageBuffer(gpu, 'maps', raw!.byteLength),
      mapGradient: createStorageBuffer(gpu, 'map gradient', mapGradient!),
      rawGradient: createStorageBuffer(gpu, 'raw gradient', raw!.byteLength),
    };
    const activate = await createActivate(gpu, { size, channels, ...buffers });
    const commands = new Commands(gpu);
    activate.forward(commands);
    activate.backward(commands);
    commands.submit();
    const result = {
      outputs: { maps: await readFloats(gpu, buffers.maps, raw!.length) },
      gradients: { raw: await readFloats(gpu, buffers.rawGradient, raw!.length) },
    };
    activate.dispose();
    for (const buffer of Object.values(buffers)) buffer.destroy();
    return result;
  },
};

const CHANNELS: readonly ChannelActivation[] = [
  { gain: 0.5, shift: -6.4, limit: -5.9 },
  { gain: 0.3, shift: 0.05, limit: null },
];
const raw = (size: number, factor = 1): Float32Array =>
  Float32Array.from({ length: CHANNELS.length * size * size }, (_, index) => factor * randomNormal(3, 1, index));

describeDifferentiable(
  operation,
  [
    { name: 'two channels of 5²', inputs: { raw: raw(5) }, setting: { size: 5, channels: CHANNELS } },
    { name: 'two channels of 67²', inputs: { raw: raw(67) }, setting: { size: 67, channels: CHANNELS } },
  ],
  {
    hostile: [
      {
        name: 'far beyond the limit, on both sides',
        inputs: { raw: [1e4, -1e4, 1e-40, 0, 300, -300, 80, -80] },
        setting: { size: 2, channels: CHANNELS },
      },
    ],
  },
);

describe('scale activation', () => {
  it('never reaches its limit, and is the identity far below it', () => {
    const [limited] = CHANNELS;
    const [near, far] = activateReference([100, -40], [limited!]);
    expect(near).toBeLessThanOrEqual(limited!.limit!);
    expect(far).toBeCloseTo(-40 * limited!.gain + limited!.shift, 6);
  });
});
