import { sizeOf, type Operation, type Shape, type Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64, type Tensor64 } from '../tensor64.ts';
import { add, scale, sumTo } from './arithmetic.ts';
import { reshape } from './reshape.ts';
import { broadcastShape } from './shape-rules.ts';
import { transposeMatrix } from './transpose.ts';

/** Matrix products: MatMul over the last two axes (the others broadcast), and Gemm, which reads either side transposed. */

const MATMUL: Operation<null> = {
  name: 'MatMul',
  shapes([a, b]) {
    if (a!.length < 2 || b!.length < 2 || a!.at(-1) !== b!.at(-2)) {
      throw new RangeError(`MatMul: [${a!.join(', ')}] times [${b!.join(', ')}] is not possible.`);
    }
    const batch = broadcastShape('MatMul', a!.slice(0, -2), b!.slice(0, -2));
    return [[...batch, a!.at(-2)!, b!.at(-1)!]];
  },
  lower: (writer, node) => writer.node('MatMul', node),
  backward({ inputs: [a, b] }, [gradient], wanted) {
    return [
      wanted[0] ? sumTo(matMul(gradient!, transposeMatrix(b!)), a!.shape) : null,
      wanted[1] ? sumTo(matMul(transposeMatrix(a!), gradient!), b!.shape) : null,
    ];
  },
  reference: ([a, b], _, [shape]) => [product(a!, b!, shape!)],
};

interface GemmAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const GEMM: Operation<GemmAttributes> = {
  name: 'Gemm',
  shapes([a, b], { transposeA, transposeB }) {
    const [rows, inner] = transposeA ? a!.toReversed() : a!;
    const [innerB, columns] = transposeB ? b!.toReversed() : b!;
    if (a!.length !== 2 || b!.length !== 2 || inner !== innerB) {
      throw new RangeError(`Gemm: [${a!.join(', ')}] times [${b!.join(', ')}] is not possible.`);
    }
    return [[rows!, columns!]];
  },
  lower(writer, node) {
    const { transposeA, transposeB } = node.attributes;
    writer.node('Gemm', node, { transA: Number(transposeA), transB: Number(transposeB) });
  },
  backward({ inputs: [a, b], attributes: { transposeA, transposeB } }, [gradient], wanted) {
    // C = op(A)·op(B): ∂op(A) = G·op(B)ᵀ, ∂op(B) = op(A)ᵀ·G, each turned back where the side was read transposed.
    const ofA = (): Value =>
      transposeA ? gemm(b!, gradient!, transposeB, true) : gemm(gradient!, b!, false, !transposeB);
    const ofB = (): Value =>
      transposeB ? gemm(gradient!, a!, true, transposeA) : gemm(a!, gradient!, !transposeA, false);
    return [wanted[0] ? ofA() : null, wanted[1] ? ofB() : null];
  },
  reference([a, b], { transposeA, transposeB }, [shape]) {
    return [product(transposeA ? turned(a!) : a!, transposeB ? turned(b!) : b!, shape!)];
  },
};

function product(a: Tensor64, b: Tensor64, shape: Shape): Tensor64 {
  const inner = a.shape.at(-1)!;
  return tensor64(shape, (position) => {
    const batch = position.slice(0, -2);
    const [row, column] = position.slice(-2) as [number, number];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += elementAt(a, [...batch, row, k]) * elementAt(b, [...batch, k, column]);
    return sum;
  });
}

const turned = (matrix: Tensor64): Tensor64 =>
  tensor64(matrix.shape.toReversed(), ([row, column]) => elementAt(matrix, [column!, row!]));

export function matMul(a: Value, b: Value): Value {
  return a.graph.add(MATMUL, [a, b], null)[0]!;
}

/** A·B of two matrices, either read transposed. */
export function gemm(a: Value, b: Value, transposeA = false, transposeB = false): Value {
  return a.graph.add(GEMM, [a, b], { transposeA, transposeB })[0]!;
}

export const matmulRules: Readonly<Record<string, NodeRule>> = {
  MatMul(node) {
    const [a, b] = [node.value(0), node.value(1)];
    // Vectors count as a row on the left and as a column on the right, and lose that axis again.
    const left = a.shape.length === 1 ? reshape(a, [1, a.shape[0]!]) : a;
    const right = b.shape.length === 1 ? reshape(b, [b.shape[0]!, 1]) : b;
    const result = matMul(left, right);
    const shape = [...result.shape];
    if (b.shape.length === 1) shape.pop();
    if (a.shape.length === 1) shape.splice(shape.length - (b.shape.length === 1 ? 1 : 2), 1);
    return reshape(result, shape);
  },
  Gemm(node) {
    const [a, b] = [node.value(0), node.value(1)];
    const rows = a.shape.length > 2 ? reshape(a, [a.shape[0]!, sizeOf(a.shape.slice(1))]) : a;
    const result = scale(
      gemm(rows, b, node.int('transA', 0) !== 0, node.int('transB', 0) !== 0),
      node.float('alpha', 1),
    );
    return node.has(2) ? add(result, scale(node.value(2), node.float('beta', 1))) : result;
  },
};
