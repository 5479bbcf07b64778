import type { Avatar } from '../avatar/avatar.ts';
import { weldVertices } from '../head/weld-vertices.ts';

/** What a surface for edits needs of an avatar. */
export type PersonalHead = Pick<Avatar, 'head' | 'vertexOffset' | 'neutralPose'>;

/** Rounds of averaging with the neighbours, and how far a round goes: about 8 mm in all on the skin. */
const ROUNDS = 10;
const STEP = 0.6;

/**
 * The head without the fit's fine motion. A fit moves single vertices as the pictures ask for, by millimetres and until
 * triangles fold over; its Gaussians make up for that, paint could not. Here the template stays, which is smooth, and all
 * that was learned on top (Δvertex, expressions, pose correctives) is averaged along the surface, so that what is bound to
 * it moves as skin does.
 */
export function smoothHead<Given extends PersonalHead>(avatar: Given): Given {
  const { head } = avatar;
  const { vertexCount } = head;
  const welded = weldVertices(head.templateVertices);
  const mesh = neighbourLists(head.triangles, welded);
  const smooth = (rows: Float32Array, floats: number): Float32Array => {
    const result = rows.slice();
    const stride = vertexCount * floats;
    for (let at = 0; at < rows.length; at += stride) {
      smoothField(result.subarray(at, at + stride), floats, mesh, welded);
    }
    return result;
  };
  return {
    ...avatar,
    head: {
      ...head,
      expressionBasis: smooth(head.expressionBasis, 3),
      poseCorrectives: head.poseCorrectives && smooth(head.poseCorrectives, 3),
      skinningWeights: smooth(head.skinningWeights, head.joints.length),
    },
    vertexOffset: smooth(avatar.vertexOffset, 3),
  };
}

/** Neighbours of each welded vertex, one list after the other. */
interface NeighbourLists {
  /** V + 1. */
  readonly starts: Uint32Array;
  readonly members: Uint32Array;
}

function neighbourLists(triangles: Uint32Array, welded: Uint32Array): NeighbourLists {
  const sets = Array.from(welded, () => new Set<number>());
  for (let at = 0; at < triangles.length; at++) {
    const next = at % 3 === 2 ? at - 2 : at + 1;
    const [a, b] = [welded[triangles[at]], welded[triangles[next]]];
    if (a === b) continue;
    sets[a].add(b);
    sets[b].add(a);
  }
  const starts = new Uint32Array(welded.length + 1);
  sets.forEach((set, vertex) => (starts[vertex + 1] = starts[vertex] + set.size));
  return { starts, members: Uint32Array.from(sets.flatMap((set) => [...set])) };
}

/** Averages V×floats values with the neighbours', in place. A field of zeros is left at once: most expressions are local. */
function smoothField(
  field: Float32Array,
  floats: number,
  { starts, members }: NeighbourLists,
  welded: Uint32Array,
): void {
  if (field.every((value) => value === 0)) return;
  let before = field.slice();
  let after = new Float32Array(field.length);
  for (let round = 0; round < ROUNDS; round++) {
    for (let vertex = 0; vertex < welded.length; vertex++) {
      if (welded[vertex] !== vertex) continue;
      const [first, end] = [starts[vertex], starts[vertex + 1]];
      for (let k = 0; k < floats; k++) {
        let sum = 0;
        for (let at = first; at < end; at++) sum += before[members[at] * floats + k];
        const own = before[vertex * floats + k];
        after[vertex * floats + k] = end > first ? own + STEP * (sum / (end - first) - own) : own;
      }
    }
    [before, after] = [after, before];
  }
  for (let vertex = 0; vertex < welded.length; vertex++) {
    for (let k = 0; k < floats; k++) field[vertex * floats + k] = before[welded[vertex] * floats + k];
  }
}
