/**
 * Time of the losses and of Adam by pass, from the GPU's own clock: median of several submits.
 *
 *   node scripts/run.mjs benchmarks/losses/passes.ts [sizes, default 256,512] [gaussians, default 65536]
 */
import { createAdam } from '../../src/fitting/adam.ts';
import { LOCAL_ATTRIBUTES, LOCAL_STRIDES } from '../../src/gaussians/layout.ts';
import { createStorageBuffer } from '../../src/gpu/buffer.ts';
import { Commands, Profiler } from '../../src/gpu/commands.ts';
import { createGaussianRegularisers } from '../../src/losses/gaussian-regularisers/gaussian-regularisers.ts';
import { LossHistory } from '../../src/losses/loss-history.ts';
import { createPhotometricLoss } from '../../src/losses/photometric/photometric.ts';
import { randomBits, randomUniform } from '../../src/math/random.ts';
import { createNodeGpu } from '../../src/platform/node/node-gpu.ts';

const REPEATS = 9;
const sizes = (process.argv[2] ?? '256,512').split(',').map(Number);
const gaussians = Number(process.argv[3] ?? 65_536);

const gpu = await createNodeGpu();
const profiler = new Profiler(gpu);
const history = await LossHistory.create(gpu, 1);
const uniform = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => randomUniform(1, 0, i));

/** Prints the median of each pass and of their sum. The first submit compiles and is left out. */
async function measure(name: string, record: (commands: Commands) => void): Promise<void> {
  const samples = new Map<string, number[]>();
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const commands = new Commands(gpu, profiler);
    record(commands);
    commands.submit();
    await commands.done();
    const passes = await profiler.milliseconds();
    if (repeat === 0) continue;
    let total = 0;
    for (const [label, { milliseconds }] of passes) {
      samples.set(label, [...(samples.get(label) ?? []), milliseconds]);
      total += milliseconds;
    }
    samples.set('sum', [...(samples.get('sum') ?? []), total]);
  }
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const passes = [...samples].map(([label, values]) => `${label} ${median(values).toFixed(2)}`);
  console.log(`${name}: ${passes.join(', ')} ms`);
}

for (const size of sizes) {
  const image = createStorageBuffer(gpu, 'image', uniform(size * size * 4));
  const pixels = Uint32Array.from({ length: size * size }, (_, index) => randomBits(2, 0, index));
  const target = createStorageBuffer(gpu, 'target', pixels);
  const loss = await createPhotometricLoss(gpu, { width: size, height: size, history, matte: true });
  const weights = { matte: 0.1 };
  await measure(`photometric ${size}²`, (commands) =>
    loss.record(commands, { image, target, background: [1, 1, 1], weights, slot: 0 }),
  );
  loss.dispose();
}

const count = createStorageBuffer(gpu, 'count', new Uint32Array([gaussians]));
const attributes = LOCAL_ATTRIBUTES.map((name) => ({
  name,
  parameters: createStorageBuffer(gpu, name, uniform(gaussians * LOCAL_STRIDES[name])),
  gradients: createStorageBuffer(gpu, `${name} gradient`, uniform(gaussians * LOCAL_STRIDES[name])),
}));
const bufferOf = (name: string) => attributes.find((attribute) => attribute.name === name);
const regularisers = await createGaussianRegularisers(gpu, {
  capacity: gaussians,
  count,
  history,
  logScale: bufferOf('logScale')!.parameters,
  logScaleGradient: bufferOf('logScale')!.gradients,
  normalOffset: bufferOf('normalOffset')!.parameters,
  normalOffsetGradient: bufferOf('normalOffset')!.gradients,
  triangleIndices: createStorageBuffer(gpu, 'triangle indices', new Uint32Array(gaussians)),
  surfaceHold: createStorageBuffer(gpu, 'surface hold', Float32Array.of(1)),
});
await measure(`${gaussians} Gaussians`, (commands) => regularisers.record(commands, { slot: 0 }));
const adams = await Promise.all(
  attributes.map(({ name, parameters, gradients }) =>
    createAdam(gpu, { label: name, parameters, gradients, count, stride: LOCAL_STRIDES[name], learningRate: 1e-4 }),
  ),
);
let step = 0;
await measure(`${gaussians} Gaussians`, (commands) => {
  step++;
  for (const adam of adams) adam.step(commands, { step });
});
gpu.dispose();
