// Runs in Chromium: our GPU ground on the browser's own WebGPU.
import { Commands, createGpu, createKernel, createStorageBuffer, readFloats } from 'fate-avatar/viewer';
import randomWgsl from '../../src/math/random.wgsl?raw';

const DRAW = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&values)) { values[id.x] = randomUniform(7u, 3u, id.x); }
}`;

async function drawRandomNumbers(count: number): Promise<number[]> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('the browser gives no WebGPU adapter');
  const gpu = await createGpu(adapter);
  const values = createStorageBuffer(gpu, 'values', count * 4);
  const kernel = await createKernel(gpu, {
    label: 'draw',
    files: [
      { name: 'random.wgsl', text: randomWgsl },
      { name: 'draw.wgsl', text: DRAW },
    ],
    bindings: { values: 'readWrite' },
  });
  const commands = new Commands(gpu);
  commands.pass('draw', (pass) => kernel.dispatch(pass, kernel.bind({ values }), Math.ceil(count / 64)));
  commands.submit();
  const result = [...(await readFloats(gpu, values, count))];
  gpu.dispose();
  return result;
}

Object.assign(globalThis, { drawRandomNumbers });
