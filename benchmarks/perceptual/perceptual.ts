/**
 * What the perceptual term costs beside a step of the fit, with VGG16's shape and weights drawn at random (the cost does
 * not depend on them), on a made clip of random pixels.
 *
 *   node scripts/run.mjs benchmarks/perceptual/perceptual.ts [--size 256] [--gaussians 16384] [--uses 6]
 *
 * `wall`: by the clock, of a step with the term less one without it, in the same run. `processor`: this process's
 * processor time over the number of cores: what the same takes on a quiet machine where net and driver run on the
 * processor. Least of the uses, which other programs on the machine disturb least.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { trainingInputsOf } from '../../src/fitting/fit-avatar.ts';
import { FIT_DEFAULTS } from '../../src/fitting/fit-options.ts';
import { Training } from '../../src/fitting/training.ts';
import { neutralPose } from '../../src/head/pose.ts';
import { vgg16, VGG16_CONVOLUTIONS } from '../../src/losses/perceptual/vgg16.ts';
import { randomBits, randomNormal } from '../../src/math/random.ts';
import { createNodeNetworkRuntime } from '../../src/platform/node/network-runtime.ts';
import { createNodeGpu } from '../../src/platform/node/node-gpu.ts';
import { openHead } from '../../src/platform/node/open-head.ts';

const FRAMES = 4;
const STEPS = 16;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    gaussians: { type: 'string', default: String(FIT_DEFAULTS.gaussians) },
    uses: { type: 'string', default: '6' },
  },
});
const [size, gaussians, uses] = [flags.size, flags.gaussians, flags.uses].map(Number) as [number, number, number];

const gpu = await createNodeGpu();
const runtime = await createNodeNetworkRuntime({ gpu });
const head = await openHead('builtin');
const net = vgg16(
  'VGG16’s shape, weights drawn at random',
  VGG16_CONVOLUTIONS.map(({ shape: [outputs, inputs] }, layer) => {
    const deviation = Math.sqrt(2 / (inputs * 9));
    const drawn = Float32Array.from({ length: 4096 }, (_, k) => deviation * randomNormal(1, layer, k));
    return {
      kernel: Float32Array.from({ length: outputs * inputs * 9 }, (_, k) => drawn[randomBits(2, layer, k) & 4095]!),
      bias: new Float32Array(outputs).fill(0.01),
    };
  }),
);
const pixels = Array.from({ length: FRAMES }, (_, frame) =>
  Uint32Array.from({ length: size * size }, (__, pixel) => randomBits(3, frame, pixel) | 0xff000000),
);
const camera = {
  width: size,
  height: size,
  focalX: 2 * size,
  focalY: 2 * size,
  principalX: size / 2,
  principalY: size / 2,
};
const pose = { ...neutralPose(head.expressionNames.length), headTranslation: Float32Array.of(0, 0, 0.7) };
pose.headRotation = Float32Array.of(Math.PI, 0, 0);
const clip = {
  size,
  frames: pixels.map((_, index) => ({ index, camera, pose })),
  pixels: (frame: number) => pixels[frame]!,
};
const options = { ...FIT_DEFAULTS, gaussians, perceptualEvery: 1 };
const training = await Training.create(
  gpu,
  trainingInputsOf({ head, identityCoefficients: new Float32Array(0), clip, perceptual: { net, runtime } }, options),
);

interface Cost {
  readonly wall: number;
  readonly processor: number;
}

/** Least cost of one step over some rounds of `steps` steps. */
async function measure(rounds: number, steps: number, take: (step: number) => Promise<void> | void): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = -1; round < rounds; round++) {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    for (let step = 1; step <= steps; step++) await take(step);
    commands.submit();
    await commands.done();
    const used = process.cpuUsage(cpu);
    const processor = (used.user + used.system) / 1000 / availableParallelism() / steps;
    if (round >= 0) costs.push({ wall: (performance.now() - start) / steps, processor });
  }
  return {
    wall: Math.min(...costs.map(({ wall }) => wall)),
    processor: Math.min(...costs.map(({ processor }) => processor)),
  };
}

const commands = training.commands();
const plain = await measure(uses, STEPS, (step) => {
  training.recordStep(commands, step, step % FRAMES);
  if (step % 8 === 0) commands.submit();
});
const withTerm = await measure(uses, 1, (step) => training.takeStep(commands, step, step % FRAMES));
const use: Cost = { wall: withTerm.wall - plain.wall, processor: withTerm.processor - plain.processor };

console.log(
  `${gpu.adapter.description}, ${runtime.name}, ${availableParallelism()} cores; ${gaussians} Gaussians, ${size}²`,
);
console.log('milliseconds            wall  processor / cores');
const row = (label: string, { wall, processor }: Cost): void =>
  console.log(`${label.padEnd(20)} ${wall.toFixed(1).padStart(7)}  ${processor.toFixed(1).padStart(9)}`);
row('a step without it', plain);
row('one use of it', use);
for (const every of [1, 4, 8, 16, 32]) {
  const share = (kind: keyof Cost): string => (1 + use[kind] / every / plain[kind]).toFixed(2);
  console.log(
    `every ${String(every).padStart(2)} steps: a step costs ${share('wall')} times (processor ${share('processor')})`,
  );
}
training.dispose();
process.exit(0);
