import { expect, it } from 'vitest';
import { createOrtRuntime, type OrtModule } from './ort-runtime.ts';

/** A runtime that doubles its input: into the array given for the output, if any, and into a new one. */
function doubling(): { readonly ort: OrtModule; readonly copies: Float32Array[] } {
  const copies: Float32Array[] = [];
  class Tensor {
    readonly data: Float32Array;
    constructor(_type: string, data: Float32Array) {
      this.data = data;
    }
  }
  const run = ({ x }: { x: Tensor }, { y }: { y: Tensor | null }): Promise<object> => {
    const doubled = x.data.map((value) => 2 * value);
    y?.data.set(doubled);
    copies.push(doubled);
    return Promise.resolve({ y: { data: doubled } });
  };
  const ort = { InferenceSession: { create: () => Promise.resolve({ run }) }, Tensor };
  return { ort: ort as unknown as OrtModule, copies };
}

it.each([
  ['gives back the copies of a runtime that fills arrays', true, 0],
  ['reads the arrays of one that does not', false, 8],
])('%s', async (_, fillsArrays, bytesLeft) => {
  const { ort, copies } = doubling();
  const runtime = createOrtRuntime({ ort, name: 'test', home: 'memory', gpu: null, sessionOptions: {}, fillsArrays });
  const port = (name: string) => ({ name, shape: [2] });
  const session = await runtime.createSession({ model: new Uint8Array(0), inputs: [port('x')], outputs: [port('y')] });
  const y = new Float32Array(2);
  await session.run({ x: Float32Array.of(1, 2) }, { y });
  expect([...y]).toEqual([2, 4]);
  expect(copies[0]!.byteLength).toBe(bytesLeft);
});
