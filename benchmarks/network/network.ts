/**
 * One training step of a U-Net (forward, backward, Adam) on the processor, beside the same net in PyTorch with the same
 * weights, inputs and number of threads in the same run. They take turns, so that other programs on the machine
 * disturb all alike.
 *
 *   node scripts/run.mjs benchmarks/network/network.ts [--size 256] [--base 16] [--rounds 8] [--threads 2] [--json FILE]
 *
 * PyTorch takes part twice: as it comes, its threads spinning while they wait, which is fastest on a quiet machine and
 * ten times slower beside another program; and with threads that sleep. The ratio is to the faster of the two.
 *
 * `wall`: median milliseconds of a step. `cpu`: processor time of a step. The target is a ratio of at most 1.3.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { randomNormal } from '../../src/math/random.ts';
import { createTrainableNetwork, type TrainableNetwork } from '../../src/network/index.ts';
import { createNodeNetworkRuntime } from '../../src/platform/node/network-runtime.ts';
import { buildUNet } from './unet.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    base: { type: 'string', default: '16' },
    levels: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '8' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'string' },
    'without-pytorch': { type: 'boolean', default: false },
  },
});
const PYTHON = '/usr/bin/python3';
const LIMIT = 1.3;
const STEPS_PER_ROUND = 3;
const LEARNING_RATE = 1e-3;
const INPUT_CHANNELS = 8;
const OUTPUT_CHANNELS = 11;

interface Times {
  readonly wall: number[];
  readonly cpu: number[];
  readonly losses: number[];
}

interface Peer {
  readonly name: string;
  readonly times: Times;
  run(): Promise<Times>;
  stop(): void;
}

const [size, base, levels, rounds] = [flags.size, flags.base, flags.levels, flags.rounds].map(Number) as [
  number,
  number,
  number,
  number,
];
const threads = Number(flags.threads);
const plane = size * size;
const noise = Float32Array.from({ length: INPUT_CHANNELS * plane }, (_, i) => randomNormal(1, 0, i));
const target = Float32Array.from({ length: OUTPUT_CHANNELS * plane }, (_, i) => randomNormal(1, 1, i));
const runtime = await createNodeNetworkRuntime({ threads });
const maps = buildUNet({ size, base, levels, inputChannels: INPUT_CHANNELS, outputChannels: OUTPUT_CHANNELS });
const network = await createTrainableNetwork(runtime, { outputs: { maps }, seed: 1 });
console.log(`U-Net, base ${base}, ${levels} levels, ${size}²: ${network.weightCount} weights, ${threads} threads`);

const peers = await startPeers(network);
const ours: Times = { wall: [], cpu: [], losses: [] };
for (let round = 0; round < rounds; round++) {
  append(ours, await runOurs(network));
  if (typeof peers !== 'string') for (const peer of peers) append(peer.times, await peer.run());
}
if (typeof peers !== 'string') for (const peer of peers) peer.stop();
await network.dispose();
report();

/** The first round warms all up. */
function median(values: readonly number[]): number {
  const counted = values.slice(rounds > 1 ? STEPS_PER_ROUND : 0).toSorted((a, b) => a - b);
  return counted[Math.floor(counted.length / 2)]!;
}

function append(all: Times, more: Times): void {
  all.wall.push(...more.wall);
  all.cpu.push(...more.cpu);
  all.losses.push(...more.losses);
}

async function runOurs(network: TrainableNetwork): Promise<Times> {
  const times: Times = { wall: [], cpu: [], losses: [] };
  const gradient = new Float32Array(target.length);
  for (let step = 0; step < STEPS_PER_ROUND; step++) {
    const used = process.cpuUsage();
    const start = performance.now();
    const { maps } = (await network.forward({ noise })) as { maps: Float32Array };
    let loss = 0;
    for (let i = 0; i < maps.length; i++) {
      const difference = maps[i]! - target[i]!;
      loss += difference * difference;
      gradient[i] = (2 * difference) / maps.length;
    }
    await network.backward({ maps: gradient });
    await network.step({ learningRate: LEARNING_RATE });
    times.wall.push(performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    times.cpu.push((user + system) / 1000);
    times.losses.push(loss / maps.length);
  }
  return times;
}

/** PyTorch with threads that spin and with threads that sleep; or the reason why it is left out. */
async function startPeers(network: TrainableNetwork): Promise<Peer[] | string> {
  if (flags['without-pytorch']) return '--without-pytorch';
  try {
    execFileSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  } catch {
    return `${PYTHON} has no torch (Debian: apt-get install python3-torch)`;
  }
  const folder = mkdtempSync(join(tmpdir(), 'fate-network-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const write = (name: string, values: Float32Array): void => writeFileSync(join(folder, `${name}.f32`), values);
  write('weights', (await network.save()).weights);
  write('noise', noise);
  write('target', target);
  const net = { size, levels, slots: network.slots, learningRate: LEARNING_RATE };
  writeFileSync(join(folder, 'net.json'), JSON.stringify(net));
  return [startPytorch('PyTorch', folder, {}), startPytorch('PyTorch, asleep', folder, { OMP_WAIT_POLICY: 'PASSIVE' })];
}

/** A process of its own that makes a round whenever it is told to. */
function startPytorch(name: string, folder: string, env: NodeJS.ProcessEnv): Peer {
  const script = join(import.meta.dirname ?? 'benchmarks/network', 'unet.py');
  const child = spawn(PYTHON, [script, folder, String(STEPS_PER_ROUND), String(threads)], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name,
    times: { wall: [], cpu: [], losses: [] },
    async run() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('PyTorch ended early; see its message above.');
      return JSON.parse(value) as Times;
    },
    stop: () => child.stdin.end(),
  };
}

function report(): void {
  const line = (name: string, { wall, cpu }: Times): string =>
    `  ${name.padEnd(15)} wall ${median(wall).toFixed(1)} (least ${Math.min(...wall).toFixed(1)}) ms  cpu ${median(cpu).toFixed(1)} (least ${Math.min(...cpu).toFixed(1)}) ms`;
  console.log(line('ours', ours));
  const result: Record<string, unknown> = { size, base, levels, threads, ours: summary(ours) };
  if (typeof peers === 'string') {
    console.log(`  PyTorch skipped: ${peers}`);
    result['pytorch'] = { skipped: peers };
  } else {
    for (const { name, times } of peers) console.log(line(name, times));
    const least = (kind: 'wall' | 'cpu'): number => Math.min(...peers.map(({ times }) => median(times[kind])));
    const [wall, cpu] = [median(ours.wall) / least('wall'), median(ours.cpu) / least('cpu')];
    console.log(`  ratio           wall ${wall.toFixed(2)}  cpu ${cpu.toFixed(2)}  (limit ${LIMIT})`);
    const { losses } = peers[0]!.times;
    const apart = Math.max(...ours.losses.map((loss, i) => Math.abs(loss / losses[i]! - 1)));
    console.log(`  losses of ${ours.losses.length} steps agree to ${apart.toExponential(1)} relative`);
    const pytorch = Object.fromEntries(peers.map(({ name, times }) => [name, summary(times)]));
    Object.assign(result, { pytorch, ratio: { wall, cpu }, lossDifference: apart });
  }
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(result, null, 2)}\n`);
}

function summary({ wall, cpu }: Times): { wall: number; cpu: number } {
  return { wall: median(wall), cpu: median(cpu) };
}
