/**
 * Speed of the rasteriser and of a whole training step on the scenes of the project's targets, pass by pass from the
 * GPU's own clock, beside the same mathematics in plain PyTorch on the same machine in the same run.
 *
 *   node scripts/run.mjs benchmarks/rasterizer/rasterizer.ts [--json FILE] [--repeats 15] [--without-pytorch]
 *
 * `gpu`: sum of the passes' GPU times, median of the repeats. `wall`: from submit until the device is done, waiting
 * without spinning. `cpu`: processor time of this process over the number of cores, which other programs on the
 * machine disturb least: on a software driver it is what the step would take on a quiet machine. Evaluations are
 * (pixel, Gaussian) pairs visited: intersections × pixels of a tile.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAdam } from '../../src/fitting/adam.ts';
import { WORLD_ATTRIBUTES, type WorldGaussians } from '../../src/gaussians/layout.ts';
import { createStorageBuffer, readFloats } from '../../src/gpu/buffer.ts';
import { Commands, Profiler } from '../../src/gpu/commands.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { LossHistory } from '../../src/losses/loss-history.ts';
import { createPhotometricLoss } from '../../src/losses/photometric/photometric.ts';
import { randomBits } from '../../src/math/random.ts';
import { createNodeGpu } from '../../src/platform/node/node-gpu.ts';
import { cameraBinding, createCameraBuffer } from '../../src/rasterizer/camera.ts';
import { TILE_SIZES } from '../../src/rasterizer/layout.ts';
import { createRasterizer } from '../../src/rasterizer/rasterizer.ts';
import { benchmarkScenes, type BenchmarkScene } from './scene.ts';

/** Whole step, milliseconds on a quiet two-core machine without a GPU (targets: limit, aim). */
const TARGETS: Readonly<Record<string, { readonly limit: number; readonly aim: number }>> = {
  '10k at 256²': { limit: 30, aim: 20 },
  '65k at 512²': { limit: 220, aim: 130 },
};
const PYTHON = '/usr/bin/python3';

interface Times {
  readonly gpu: number;
  readonly wall: number;
  readonly cpu: number;
  readonly passes: Readonly<Record<string, number>>;
}

/** Milliseconds, as in `Times`. */
interface PytorchTimes {
  readonly rasterizer: { readonly wall: number; readonly cpu: number };
  readonly step: { readonly wall: number; readonly cpu: number };
}

interface SceneResult {
  readonly scene: string;
  readonly intersections: number;
  readonly evaluations: number;
  readonly rasterizer: Times;
  readonly step: Times;
  readonly pytorch: PytorchTimes | { readonly skipped: string };
  readonly difference?: { image: number; gradient: number };
}

const { values: flags } = parseArgs({
  options: {
    json: { type: 'string' },
    repeats: { type: 'string', default: '15' },
    'without-pytorch': { type: 'boolean', default: false },
  },
});
const repeats = Number(flags.repeats);

const gpu = await createNodeGpu();
console.log(`${gpu.adapter.description || gpu.adapter.vendor}, ${availableParallelism()} cores`);
const results: SceneResult[] = [];
for (const scene of benchmarkScenes()) {
  const result = await benchmark(gpu, scene);
  results.push(result);
  print(result);
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(results, null, 2)}\n`);
process.exit(0);

async function benchmark(gpu: Gpu, scene: BenchmarkScene): Promise<SceneResult> {
  const { width, height } = scene.view.camera;
  const background = [1, 1, 1];
  const rasterizer = await createRasterizer(gpu, { width, height, gaussianCapacity: scene.count });
  const gaussians = Object.fromEntries(
    WORLD_ATTRIBUTES.map((name) => [name, createStorageBuffer(gpu, name, scene.gaussians[name])]),
  ) as unknown as WorldGaussians;
  const imageGradient = Float32Array.from({ length: width * height * 4 }, (_, i) => Math.sin(i));
  const target = Uint32Array.from({ length: width * height }, (_, i) => (randomBits(1, 2, i) | 0xff000000) >>> 0);
  const count = createStorageBuffer(gpu, 'count', new Uint32Array([scene.count]));
  const input = { gaussians, count, camera: cameraBinding(createCameraBuffer(gpu, [scene.view])) };
  const withGradient = { ...input, imageGradient: createStorageBuffer(gpu, 'imageGradient', imageGradient) };
  const history = await LossHistory.create(gpu, 1);
  const photometric = await createPhotometricLoss(gpu, { width, height, history });
  const targetBuffer = createStorageBuffer(gpu, 'target', target);
  const adams = await Promise.all(
    WORLD_ATTRIBUTES.map((name) =>
      createAdam(gpu, {
        label: name,
        parameters: gaussians[name],
        gradients: rasterizer.gradients[name],
        stride: 4,
        count,
        learningRate: 1e-6,
      }),
    ),
  );
  let step = 0;

  const alone = await measure(gpu, (commands) => {
    rasterizer.forward(commands, input);
    rasterizer.backward(commands, withGradient);
  });
  const image = await readFloats(gpu, rasterizer.image, width * height * 4);
  const gradient = await readFloats(gpu, rasterizer.gradients.meanOpacity);
  const whole = await measure(gpu, (commands) => {
    rasterizer.forward(commands, input);
    photometric.record(commands, { image: rasterizer.image, target: targetBuffer, background, slot: 0 });
    rasterizer.backward(commands, { ...input, imageGradient: photometric.imageGradient });
    step += 1;
    for (const adam of adams) adam.step(commands, { step });
  });
  const intersections = await rasterizer.neededIntersections();
  const [tileWidth, tileHeight] = TILE_SIZES[rasterizer.variant];
  const pytorch = runPytorch(scene, imageGradient, target, background);
  return {
    scene: scene.name,
    intersections,
    evaluations: intersections * tileWidth * tileHeight,
    rasterizer: alone,
    step: whole,
    pytorch: pytorch.times,
    ...(pytorch.image
      ? { difference: { image: distance(image, pytorch.image), gradient: distance(gradient, pytorch.gradient!) } }
      : {}),
  };
}

async function measure(gpu: Gpu, record: (commands: Commands) => void): Promise<Times> {
  const profiler = gpu.adapter.hasTimestamps ? new Profiler(gpu) : null;
  const samples = { gpu: [] as number[], wall: [] as number[], cpu: [] as number[] };
  const passes = new Map<string, number[]>();
  for (let repeat = -2; repeat < repeats; repeat++) {
    // Timestamps cost a little, so clock and profile take turns.
    const isProfiled = profiler !== null && repeat % 2 === 0;
    const commands = new Commands(gpu, isProfiled ? profiler : null);
    record(commands);
    const cpu = process.cpuUsage();
    const start = performance.now();
    commands.submit();
    await commands.done();
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const times = isProfiled ? await profiler.milliseconds() : new Map<string, never>();
    if (repeat < 0) continue;
    if (isProfiled) {
      let sum = 0;
      for (const [label, { milliseconds }] of times) {
        passes.set(label, [...(passes.get(label) ?? []), milliseconds]);
        sum += milliseconds;
      }
      samples.gpu.push(sum);
    } else {
      samples.wall.push(wall);
      samples.cpu.push((user + system) / 1000 / availableParallelism());
    }
  }
  profiler?.dispose();
  return {
    gpu: median(samples.gpu),
    wall: median(samples.wall),
    cpu: median(samples.cpu),
    passes: Object.fromEntries([...passes].map(([label, values]) => [label, median(values)])),
  };
}

interface PytorchRun {
  readonly times: SceneResult['pytorch'];
  readonly image?: Float32Array;
  readonly gradient?: Float32Array;
}

function runPytorch(
  scene: BenchmarkScene,
  imageGradient: Float32Array,
  target: Uint32Array,
  background: number[],
): PytorchRun {
  if (flags['without-pytorch']) return { times: { skipped: '--without-pytorch' } };
  try {
    execFileSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  } catch {
    return { times: { skipped: `${PYTHON} has no torch (Debian: apt-get install python3-torch)` } };
  }
  const folder = mkdtempSync(join(tmpdir(), 'fate-rasterizer-'));
  try {
    const write = (name: string, values: Float32Array): void => writeFileSync(join(folder, `${name}.f32`), values);
    for (const name of WORLD_ATTRIBUTES) write(name, scene.gaussians[name]);
    write('imageGradient', imageGradient);
    write(
      'target',
      Float32Array.from(
        { length: target.length * 3 },
        (_, i) => ((target[Math.floor(i / 3)]! >>> (8 * (i % 3))) & 255) / 255,
      ),
    );
    writeFileSync(join(folder, 'scene.json'), JSON.stringify({ camera: scene.view.camera, background }));
    const script = join(import.meta.dirname ?? 'benchmarks/rasterizer', 'plain.py');
    // Threads that wait must not spin: on a shared machine that would charge PyTorch with other programs' work.
    const env = { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' };
    const printed = execFileSync(PYTHON, [script, folder, '3'], { encoding: 'utf8', env });
    const read = (name: string): Float32Array => new Float32Array(readFileSync(join(folder, `${name}.f32`)).buffer);
    return {
      times: JSON.parse(printed) as PytorchTimes,
      image: read('image'),
      gradient: read('meanOpacity.gradient'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function print({ scene, intersections, evaluations, rasterizer, step, pytorch, difference }: SceneResult): void {
  const rate = (label: string, milliseconds: number): string =>
    /forward|backward$/.test(label) && !label.includes('project')
      ? `${(evaluations / milliseconds / 1e6).toFixed(1)} G evaluations/s`
      : '';
  console.log(`\n${scene}: ${intersections} intersections, ${(evaluations / 1e6).toFixed(1)} M evaluations`);
  for (const [label, milliseconds] of Object.entries(step.passes)) {
    console.log(
      `  ${label.padEnd(30)} ${milliseconds.toFixed(2).padStart(8)} ms  ${rate(label, milliseconds)}`.trimEnd(),
    );
  }
  const line = (name: string, ours: Times, plain: { wall: number; cpu: number } | null, target = ''): void => {
    const times = (['gpu', 'wall', 'cpu'] as const).map((kind) => `${kind} ${ours[kind].toFixed(1)}`).join('  ');
    console.log(`  ${name} ${times} ms${target}`);
    if (!plain) return;
    const [wall, cpu] = [plain.wall / ours.wall, plain.cpu / ours.cpu].map((ratio) => ratio.toFixed(1));
    const plainTimes = `wall ${plain.wall.toFixed(0)}  cpu ${plain.cpu.toFixed(0)} ms`;
    console.log(`    PyTorch ${plainTimes}: ${wall}× by the clock, ${cpu}× by processor time`);
  };
  const plain = 'skipped' in pytorch ? null : pytorch;
  const target = TARGETS[scene];
  line('rasteriser', rasterizer, plain?.rasterizer ?? null);
  line('whole step', step, plain?.step ?? null, target ? `  (limit ${target.limit}, aim ${target.aim} ms)` : '');
  if ('skipped' in pytorch) console.log(`  PyTorch skipped: ${pytorch.skipped}`);
  if (difference) {
    console.log(
      `  against PyTorch: image ${difference.image.toExponential(1)}, gradient ${difference.gradient.toExponential(1)} (relative to the largest)`,
    );
  }
}

/** Root mean square difference, relative to the largest value. */
function distance(a: Float32Array, b: Float32Array): number {
  let [squares, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    squares += (a[i]! - b[i]!) ** 2;
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return Math.sqrt(squares / a.length) / largest;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
