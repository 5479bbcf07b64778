/**
 * The gradient ladder (docs: architecture, "The gradient ladder"): one description of an operation, and every rung that
 * can be checked by machine runs against it.
 *
 * An operation is a function from named float arrays to named float arrays, written twice: in float64 with plain loops
 * (`forward`, `backward`), and on the GPU (`runOnGpu`). Whatever is not differentiated (sizes, indices, cameras) is the
 * scene's `setting`.
 *
 * ```ts
 * const square: DifferentiableOperation<null> = {
 *   name: 'square',
 *   forward: ({ x }) => ({ y: x.map((value) => value * value) }),
 *   backward: ({ x }, { y }) => ({ x: x.map((value, i) => 2 * value * y[i]) }),   // y holds ∂loss/∂y
 *   async runOnGpu(gpu, { x }, { y }) {
 *     // upload x, run the forward kernel; upload y = ∂loss/∂y, run the backward kernel; read both back
 *     return { outputs: { y: forwardResult }, gradients: { x: backwardResult } };
 *   },
 * };
 * describeDifferentiable(square, [{ name: 'three numbers', inputs: { x: [1, -2, 3] }, setting: null }], {
 *   hostile: [{ name: 'infinity', inputs: { x: [Infinity] }, setting: null }],
 * });
 * ```
 *
 * Rungs, one test each and scene by scene:
 * 1. the reference's backward against central differences in float64: random directions, and each element when few;
 * 2. GPU forward against the reference; 3. GPU backward against the reference: per element, cosine, signed bias, zeros;
 * 4. GPU backward against differences of the GPU forward in one random direction, ⟨t, Jᵀc⟩ = ⟨Jt, c⟩;
 * 5. `hostile` scenes (NaN, thresholds, zero count): nothing but finite numbers, and the reference's;
 * 6. the same run twice gives identical bytes.
 *
 * Inputs are rounded to float32 first, so that both sides see the same numbers. The true function may jump at cut-offs:
 * ordinary scenes should stay away from them, or turn off the rung concerned by `skip`.
 */
import { describe, expect, it } from 'vitest';
import type { Gpu } from '../src/gpu/gpu.ts';
import { randomNormal } from '../src/math/random.ts';
import { testGpu } from './gpu.ts';

/** Named arrays in float64, as the reference sees them. */
export type Arrays = Record<string, Float64Array>;
/** Named arrays in float32, as the GPU sees them. */
export type GpuArrays = Record<string, Float32Array>;

export interface DifferentiableOperation<Setting> {
  readonly name: string;
  /** Outputs in float64. Must not change its arguments. */
  forward(inputs: Arrays, setting: Setting): Arrays;
  /** ∂loss/∂inputs from ∂loss/∂outputs, in float64. An input that is left out is not differentiated. */
  backward(inputs: Arrays, outputGradients: Arrays, setting: Setting): Arrays;
  /** The same two on the GPU; `gradients` has the names that `backward` gives. */
  runOnGpu(
    gpu: Gpu,
    inputs: GpuArrays,
    outputGradients: GpuArrays,
    setting: Setting,
  ): Promise<{ outputs: GpuArrays; gradients: GpuArrays }>;
}

export interface DifferentiableScene<Setting> {
  readonly name: string;
  readonly inputs: Readonly<Record<string, ArrayLike<number>>>;
  readonly setting: Setting;
  /** Rungs (1–4) that this scene leaves out. */
  readonly skip?: readonly (1 | 2 | 3 | 4)[];
  readonly tolerances?: Partial<LadderTolerances>;
}

export interface LadderTolerances {
  /** Rung 1: relative to the largest gradient element (or to the norms, for a direction). */
  readonly differences: number;
  /** Rung 1: step, relative to the root mean square of each input. */
  readonly differenceStep: number;
  /** Rung 2: |gpu − reference| ≤ absolute + relative · |reference|. */
  readonly forwardAbsolute: number;
  readonly forwardRelative: number;
  /** Rung 3: |gpu − reference| ≤ backwardRelative · (|reference| + root mean square of the reference). */
  readonly backwardRelative: number;
  readonly cosine: number;
  /** Rung 3: |Σ(gpu − reference)| ≤ bias · Σ|reference|. */
  readonly bias: number;
  /** Rung 4: relative to the norms of direction and gradient. */
  readonly directional: number;
  /** Rung 4: step, relative to the root mean square of each input. */
  readonly directionalStep: number;
}

/** Start values of the architecture's table; a scene replaces them by measured worst × margin. */
export const LADDER_TOLERANCES: LadderTolerances = {
  differences: 1e-6,
  differenceStep: 1e-5,
  forwardAbsolute: 1e-5,
  forwardRelative: 1e-4,
  backwardRelative: 1e-3,
  cosine: 0.9999,
  bias: 1e-4,
  directional: 1e-2,
  directionalStep: 1e-3,
};

/** Float32's; below it a GPU may flush to zero. */
const SMALLEST_NORMAL = 2 ** -126;

export interface LadderOptions<Setting> {
  /** Rung 5: scenes with hostile inputs; outputs and gradients must be finite and the reference's. */
  readonly hostile?: readonly DifferentiableScene<Setting>[];
  /** Where the GPU comes from; the test file's shared one by default. */
  readonly gpu?: () => Promise<Gpu>;
  /** Up to this many input elements, rung 1 checks each of them (default 64). */
  readonly elementLimit?: number;
}

/** Runs the ladder for one operation over its scenes. Call at the top level of a test file. */
export function describeDifferentiable<Setting>(
  operation: DifferentiableOperation<Setting>,
  scenes: readonly DifferentiableScene<Setting>[],
  { hostile = [], gpu = testGpu, elementLimit = 64 }: LadderOptions<Setting> = {},
): void {
  describe(operation.name, () => {
    for (const scene of scenes) {
      const skipped = new Set<number>(scene.skip ?? []);
      const ladder = new Ladder(operation, scene, gpu);
      it.skipIf(skipped.has(1))(`1 reference backward = central differences: ${scene.name}`, () => {
        ladder.checkReference(elementLimit);
      });
      it.skipIf(skipped.has(2))(`2 GPU forward = reference: ${scene.name}`, () => ladder.checkForward());
      it.skipIf(skipped.has(3))(`3 GPU backward = reference: ${scene.name}`, () => ladder.checkBackward());
      it.skipIf(skipped.has(4))(`4 GPU backward = GPU differences in one direction: ${scene.name}`, () =>
        ladder.checkDirection(),
      );
      it(`6 same bytes twice: ${scene.name}`, () => ladder.checkSameBytes());
    }
    for (const scene of hostile) {
      it(`5 nothing silently wrong: ${scene.name}`, async () => {
        const ladder = new Ladder(operation, scene, gpu);
        await ladder.checkFinite();
        await ladder.checkForward();
        await ladder.checkBackward();
      });
    }
  });
}

class Ladder<Setting> {
  readonly #operation: DifferentiableOperation<Setting>;
  readonly #scene: DifferentiableScene<Setting>;
  readonly #tolerances: LadderTolerances;
  readonly #gpu: () => Promise<Gpu>;
  readonly #inputs: Arrays;
  readonly #outputs: Arrays;
  readonly #outputGradients: Arrays;
  readonly #gradients: Arrays;
  #onGpu: Promise<{ outputs: GpuArrays; gradients: GpuArrays }> | undefined;

  constructor(
    operation: DifferentiableOperation<Setting>,
    scene: DifferentiableScene<Setting>,
    gpu: () => Promise<Gpu>,
  ) {
    this.#operation = operation;
    this.#scene = scene;
    this.#gpu = gpu;
    this.#tolerances = { ...LADDER_TOLERANCES, ...scene.tolerances };
    this.#inputs = mapArrays(scene.inputs, (values) => Float64Array.from(values, Math.fround));
    this.#outputs = operation.forward(this.#inputs, scene.setting);
    this.#outputGradients = randomLike(this.#outputs, 1);
    this.#gradients = operation.backward(this.#inputs, this.#outputGradients, scene.setting);
  }

  /** Rung 1. */
  checkReference(elementLimit: number): void {
    const { differences, differenceStep } = this.#tolerances;
    for (let seed = 10; seed < 13; seed++) {
      const direction = this.#direction(seed);
      const numeric = this.#referenceDifference(direction, differenceStep);
      const analytic = dot(direction, this.#gradients);
      expect(
        Math.abs(numeric - analytic) / (norm(direction) * norm(this.#gradients) + 1e-12),
        `direction ${seed}: differences ${numeric}, backward ${analytic}`,
      ).toBeLessThan(differences);
    }
    const names = Object.keys(this.#gradients);
    const elementCount = names.reduce((sum, name) => sum + this.#inputs[name]!.length, 0);
    if (elementCount > elementLimit) return;
    for (const name of names) {
      const largest = this.#gradients[name]!.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
      for (let index = 0; index < this.#inputs[name]!.length; index++) {
        const direction = mapArrays(this.#gradients, (values) => new Float64Array(values.length));
        direction[name]![index] = rootMeanSquare(this.#inputs[name]!) || 1;
        const numeric = this.#referenceDifference(direction, differenceStep) / direction[name]![index]!;
        const analytic = this.#gradients[name]![index]!;
        expect(
          Math.abs(numeric - analytic) / largest,
          `${name}[${index}]: differences ${numeric}, backward ${analytic}`,
        ).toBeLessThan(differences);
      }
    }
  }

  /** Rung 2. */
  async checkForward(): Promise<void> {
    const { forwardAbsolute, forwardRelative } = this.#tolerances;
    const { outputs } = await this.#run();
    for (const [name, expected] of Object.entries(this.#outputs)) {
      const actual = outputs[name];
      expect(actual?.length, `length of output ${name}`).toBe(expected.length);
      let worst = { excess: -Infinity, index: 0 };
      expected.forEach((value, index) => {
        const error = Math.abs(actual![index]! - value);
        const excess = (Number.isNaN(error) ? Infinity : error) - forwardAbsolute - forwardRelative * Math.abs(value);
        if (excess > worst.excess) worst = { excess, index };
      });
      const { index, excess } = worst;
      expect(excess, `${name}[${index}]: GPU ${actual![index]}, reference ${expected[index]}`).toBeLessThanOrEqual(0);
    }
  }

  /** Rung 3. */
  async checkBackward(): Promise<void> {
    const { backwardRelative, cosine, bias } = this.#tolerances;
    const { gradients } = await this.#run();
    for (const [name, expected] of Object.entries(this.#gradients)) {
      const actual = gradients[name];
      expect(actual?.length, `length of the gradient of ${name}`).toBe(expected.length);
      const typical = rootMeanSquare(expected);
      let worst = { relative: 0, index: 0 };
      let signed = 0;
      let absolute = 0;
      const sums = { given: 0, both: 0, expected: 0 };
      expected.forEach((value, index) => {
        const given = actual![index]!;
        const relative = given === value ? 0 : Math.abs(given - value) / (Math.abs(value) + typical + SMALLEST_NORMAL);
        if (!(relative <= worst.relative)) worst = { relative, index };
        if (value === 0) expect(given, `gradient of ${name}[${index}]: zero in the reference`).toBeCloseTo(0, 30);
        signed += given - value;
        absolute += Math.abs(value);
        sums.given += given * given;
        sums.both += given * value;
        sums.expected += value * value;
      });
      const place = `gradient of ${name}[${worst.index}]: GPU ${actual![worst.index]}, reference ${expected[worst.index]}, typical ${typical}`;
      expect(worst.relative, place).toBeLessThanOrEqual(backwardRelative);
      if (typical < SMALLEST_NORMAL) continue;
      const alike = sums.both / Math.sqrt(sums.given * sums.expected);
      expect(alike, `cosine of the gradient of ${name}`).toBeGreaterThanOrEqual(cosine);
      expect(Math.abs(signed) / absolute, `signed bias of the gradient of ${name}`).toBeLessThanOrEqual(bias);
    }
  }

  /** Rung 4. */
  async checkDirection(): Promise<void> {
    const { directional, directionalStep } = this.#tolerances;
    const direction = this.#direction(20);
    const forward = async (step: number): Promise<number> => {
      const { outputs } = await this.#runAt(moved(this.#inputs, direction, step));
      return dot(
        mapArrays(outputs, (values) => Float64Array.from(values)),
        this.#outputGradients,
      );
    };
    const numeric = ((await forward(directionalStep)) - (await forward(-directionalStep))) / (2 * directionalStep);
    const { gradients } = await this.#run();
    const given = mapArrays(gradients, (values) => Float64Array.from(values));
    const analytic = dot(direction, given);
    // Relative to the terms of the product, which may cancel in the sum.
    const scale = Math.sqrt(
      Object.keys(given).reduce((sum, name) => sum + dotOne(square(direction[name]!), square(given[name]!)), 0),
    );
    expect(Math.abs(numeric - analytic) / (scale + 1e-12), `differences ${numeric}, backward ${analytic}`).toBeLessThan(
      directional,
    );
  }

  /** Rung 5, first half. */
  async checkFinite(): Promise<void> {
    const { outputs, gradients } = await this.#run();
    for (const [kind, arrays] of Object.entries({ output: outputs, gradient: gradients })) {
      for (const [name, values] of Object.entries(arrays)) {
        const index = values.findIndex((value) => !Number.isFinite(value));
        expect(index, `${kind} ${name}[${index}] = ${values[index]}`).toBe(-1);
      }
    }
  }

  /** Rung 6. */
  async checkSameBytes(): Promise<void> {
    const [first, second] = [await this.#run(), await this.#runAt(this.#inputs)];
    for (const kind of ['outputs', 'gradients'] as const) {
      for (const [name, values] of Object.entries(first[kind])) {
        const again = new Uint8Array(second[kind][name]!.slice().buffer);
        const same = Buffer.from(values.slice().buffer).equals(again);
        expect(same, `${kind} ${name}: identical bytes`).toBe(true);
      }
    }
  }

  #run(): Promise<{ outputs: GpuArrays; gradients: GpuArrays }> {
    this.#onGpu ??= this.#runAt(this.#inputs);
    return this.#onGpu;
  }

  async #runAt(inputs: Arrays): Promise<{ outputs: GpuArrays; gradients: GpuArrays }> {
    return this.#operation.runOnGpu(
      await this.#gpu(),
      mapArrays(inputs, (values) => Float32Array.from(values)),
      mapArrays(this.#outputGradients, (values) => Float32Array.from(values)),
      this.#scene.setting,
    );
  }

  /** A random direction over the differentiated inputs, in units of each input's root mean square. */
  #direction(seed: number): Arrays {
    const direction = randomLike(this.#gradients, seed);
    for (const [name, values] of Object.entries(direction)) {
      const unit = rootMeanSquare(this.#inputs[name]!) || 1;
      direction[name] = values.map((value) => value * unit);
    }
    return direction;
  }

  /** d⟨outputs, outputGradients⟩ along `direction`, by the five-point stencil (error of fourth order). */
  #referenceDifference(direction: Arrays, step: number): number {
    const at = (factor: number): number =>
      dot(
        this.#operation.forward(moved(this.#inputs, direction, factor * step), this.#scene.setting),
        this.#outputGradients,
      );
    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step);
  }
}

function mapArrays<From, To>(arrays: Readonly<Record<string, From>>, map: (values: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, map(values)]));
}

/** Standard normal numbers, representable in float32, in the shape of `arrays`. */
function randomLike(arrays: Arrays, seed: number): Arrays {
  let stream = 0;
  return mapArrays(arrays, (values) => {
    stream++;
    return values.map((_, index) => Math.fround(randomNormal(seed, stream, index)));
  });
}

function moved(inputs: Arrays, direction: Arrays, step: number): Arrays {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => {
      const along = direction[name];
      return [name, along ? values.map((value, index) => value + step * along[index]!) : values];
    }),
  );
}

function dotOne(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

/** Sum over the names that both have. */
function dot(a: Arrays, b: Arrays): number {
  return Object.keys(a).reduce((sum, name) => sum + (b[name] ? dotOne(a[name]!, b[name]) : 0), 0);
}

function norm(arrays: Arrays): number {
  return Math.sqrt(dot(arrays, arrays));
}

function square(values: Float64Array): Float64Array {
  return values.map((value) => value * value);
}

function rootMeanSquare(values: Float64Array): number {
  return values.length === 0 ? 0 : Math.sqrt(dotOne(values, values) / values.length);
}
