import { arithmeticRules } from '../operations/arithmetic.ts';
import { averagePoolRules } from '../operations/average-pool.ts';
import { concatRules } from '../operations/concat.ts';
import { convTransposeRules } from '../operations/conv-transpose.ts';
import { convRules } from '../operations/conv.ts';
import { elementwiseRules } from '../operations/elementwise.ts';
import { expandRules } from '../operations/expand.ts';
import { matmulRules } from '../operations/matmul.ts';
import { maxPoolRules } from '../operations/max-pool.ts';
import { normalizationRules } from '../operations/normalization.ts';
import { padRules } from '../operations/pad.ts';
import { reduceRules } from '../operations/reduce.ts';
import { reshapeRules } from '../operations/reshape.ts';
import { resizeRules } from '../operations/resize.ts';
import { sliceRules } from '../operations/slice.ts';
import { softmaxRules } from '../operations/softmax.ts';
import { transposeRules } from '../operations/transpose.ts';
import { FOLDED_OPERATORS } from './fold-constants.ts';
import type { NodeRule } from './node-reader.ts';

const identity: NodeRule = (node) => node.value(0);

/** What becomes of each operator of a file. */
export const NODE_RULES: Readonly<Record<string, NodeRule>> = {
  ...arithmeticRules,
  ...averagePoolRules,
  ...concatRules,
  ...convTransposeRules,
  ...convRules,
  ...elementwiseRules,
  ...expandRules,
  ...matmulRules,
  ...maxPoolRules,
  ...normalizationRules,
  ...padRules,
  ...reduceRules,
  ...reshapeRules,
  ...resizeRules,
  ...sliceRules,
  ...softmaxRules,
  ...transposeRules,
  Identity: identity,
  Dropout: identity, // in inference
  Cast(node) {
    const isFloat = [1, 10, 11, 16].includes(node.int('to'));
    return isFloat ? node.value(0) : node.fail('turns a computed tensor into whole numbers, which is not supported');
  },
};

/** Names of all supported operators; those of the second list on shapes and constants alone. */
export const SUPPORTED_OPERATORS: readonly string[] = [
  ...new Set([...Object.keys(NODE_RULES), ...FOLDED_OPERATORS]),
].toSorted();
