/**
 * Time of one whole training step by pass, as the fit records it: which share rasteriser and loss take, and what the
 * host spends. A made clip of random pixels: the cost does not depend on what they show.
 *
 *   node scripts/run.mjs benchmarks/step/step.ts [--head builtin|ict|all] [--size 256] [--gaussians 16384] [--rounds 5]
 *
 * `gpu`: passes' times from the GPU's own clock, mean over the steps of a round; the least of the rounds, which other
 * programs on the machine disturb least. The others are medians. `host`: recording and submitting, by the clock. `wall`:
 * from the first command until the device is done. `cpu`: processor time of this process over the number of cores: on a
 * software driver, what a step would take on a quiet machine.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { sampleAtlas } from '../../src/binding/sampling.ts';
import { FIT_DEFAULTS } from '../../src/fitting/fit-options.ts';
import { Training } from '../../src/fitting/training.ts';
import { Profiler } from '../../src/gpu/commands.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { HeadModel } from '../../src/head/head-model.ts';
import { neutralPose } from '../../src/head/pose.ts';
import { randomBits, randomNormal, randomUniform } from '../../src/math/random.ts';
import { createNodeGpu } from '../../src/platform/node/node-gpu.ts';
import { openHead } from '../../src/platform/node/open-head.ts';
import { sharedPath } from '../../test/shared.ts';

/** The project's limit for everything in a step but rasteriser and loss. */
const REST_LIMIT = 0.25;
const FRAMES = 16;
const STEPS = 32;
const STEPS_PER_SUBMIT = 8;

const { values: flags } = parseArgs({
  options: {
    head: { type: 'string', default: 'all' },
    size: { type: 'string', default: '256' },
    gaussians: { type: 'string', default: String(FIT_DEFAULTS.gaussians) },
    rounds: { type: 'string', default: '5' },
  },
});
const [size, gaussians, rounds] = [flags.size, flags.gaussians, flags.rounds].map(Number);
const ict = sharedPath('data/heads/ict-facekit');
const heads = flags.head === 'all' ? ['builtin', 'ict'] : [flags.head];

const gpu = await createNodeGpu();
console.log(`${gpu.adapter.description || gpu.adapter.vendor}, ${availableParallelism()} cores`);
for (const name of heads) {
  if (name === 'ict' && !ict)
    console.log('ict: left out, data/heads/ict-facekit is not in the folder of test data (FATE_SHARED)');
  else await benchmark(gpu, name, await openHead(name === 'ict' ? `ict:${ict}` : name));
}
process.exit(0);

/** Which part of a step a pass belongs to. */
function partOf(label: string): 'rasteriser' | 'loss' | 'rest' {
  if (label.startsWith('rasterise')) return 'rasteriser';
  return label.startsWith('photometric') ? 'loss' : 'rest';
}

async function benchmark(gpu: Gpu, name: string, head: HeadModel): Promise<void> {
  const training = await createTraining(gpu, head);
  const profiler = gpu.adapter.hasTimestamps ? new Profiler(gpu) : null;
  const samples = { host: [] as number[], wall: [] as number[], cpu: [] as number[] };
  const passes = new Map<string, number[]>();
  // Timestamps cost a little, so clock and profile take turns; the first of each compiles.
  for (let round = -2; round < rounds * 2; round++) {
    const isProfiled = profiler !== null && round % 2 === 0;
    const commands = training.commands(isProfiled ? profiler : null);
    const [cpu, start] = [process.cpuUsage(), performance.now()];
    let host = 0;
    for (let step = 1; step <= STEPS; step++) {
      const recordedFrom = performance.now();
      training.recordStep(commands, step, step % FRAMES);
      if (step % STEPS_PER_SUBMIT === 0) commands.submit();
      host += performance.now() - recordedFrom;
      if (step % STEPS_PER_SUBMIT === 0 && !isProfiled) await commands.done();
    }
    await commands.done();
    const [wall, used] = [performance.now() - start, process.cpuUsage(cpu)];
    const times = isProfiled ? await profiler.milliseconds() : new Map<string, never>();
    if (round < 0) continue;
    if (isProfiled) {
      for (const [label, { milliseconds }] of times)
        passes.set(label, [...(passes.get(label) ?? []), milliseconds / STEPS]);
    } else {
      samples.host.push(host / STEPS);
      samples.wall.push(wall / STEPS);
      samples.cpu.push((used.user + used.system) / 1000 / availableParallelism() / STEPS);
    }
  }
  report(name, head, samples, new Map([...passes].map(([label, values]) => [label, Math.min(...values)])));
  console.log(`  intersections ${await training.rasterizer.neededIntersections()}`);
  profiler?.dispose();
  training.dispose();
}

function report(
  name: string,
  head: HeadModel,
  samples: Record<'host' | 'wall' | 'cpu', number[]>,
  passes: Map<string, number>,
): void {
  console.log(`\n${name}: ${head.vertexCount} vertices, ${gaussians} Gaussians, ${size}²; milliseconds per step`);
  const sums = { rasteriser: 0, loss: 0, rest: 0 };
  for (const [label, milliseconds] of passes) {
    sums[partOf(label)] += milliseconds;
    console.log(`  ${label.padEnd(32)} ${milliseconds.toFixed(3)}`);
  }
  const total = sums.rasteriser + sums.loss + sums.rest;
  const share = (part: number): string => `${part.toFixed(2)} ms, ${((100 * part) / total).toFixed(1)} %`;
  if (total > 0) {
    console.log(`  gpu ${total.toFixed(2)} ms: rasteriser ${share(sums.rasteriser)}; loss ${share(sums.loss)}`);
    console.log(
      `  everything else ${share(sums.rest)} (limit ${REST_LIMIT * 100} %${sums.rest / total > REST_LIMIT ? ': MISSED' : ''})`,
    );
  }
  const times = Object.entries(samples).map(([kind, values]) => `${kind} ${median(values).toFixed(2)} ms`);
  console.log(`  ${times.join(', ')}; ${(1000 / median(samples.wall)).toFixed(1)} steps/s`);
}

async function createTraining(gpu: Gpu, head: HeadModel): Promise<Training> {
  const options = { ...FIT_DEFAULTS, gaussians, steps: 1_000_000 }; // so long that no event falls into it
  const { count, ...places } = sampleAtlas(head, { count: gaussians, seed: 1 });
  const focal = (0.7 * size * 0.6) / 0.24; // the head takes 70 % of the frame's height at 0.6 m
  const camera = {
    width: size,
    height: size,
    focalX: focal,
    focalY: focal,
    principalX: size / 2,
    principalY: size / 2,
  };
  const rest = neutralPose(head.expressionNames.length);
  const frames = Array.from({ length: FRAMES }, (_, index) => ({
    index,
    camera,
    pose: {
      ...rest,
      headRotation: Float32Array.of(Math.PI, 0.1 * randomNormal(1, 1, index), 0),
      headTranslation: Float32Array.of(0, 0, 0.6),
      neckPose: Float32Array.from({ length: 3 }, (_, i) => 0.1 * randomNormal(1, 40 + index, i)),
      jawPose: Float32Array.of(0.2 * Math.abs(randomNormal(1, 40 + index, 3)), 0, 0),
      // Tracked frames leave about half of the expressions at exactly zero.
      expressionCoefficients: rest.expressionCoefficients.map((_, i) =>
        Math.max(0, 0.3 * randomNormal(1, 2 + index, i)),
      ),
    },
  }));
  const pixels = Uint32Array.from({ length: size * size }, (_, i) => (randomBits(1, 3, i) | 0xff000000) >>> 0);
  return Training.create(gpu, {
    head,
    identityCoefficients: new Float32Array(head.identityNames.length),
    initial: {
      count,
      ...places,
      localRotation: Float32Array.from({ length: count * 4 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
      // As in the middle of a fit: some opaque, some nearly transparent, somewhat smaller than at the start.
      logScale: places.logScale.map((value) => value - 0.3),
      opacityLogit: Float32Array.from({ length: count }, (_, i) => 4 * randomUniform(1, 4, i) - 1),
      color: new Float32Array(count * 3),
      normalOffset: new Float32Array(count),
    },
    canonical: rest,
    clip: { size, frames, pixels: () => pixels },
    options,
    capacity: gaussians,
    intersectionCapacity: gaussians * 24 + size * 64,
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
