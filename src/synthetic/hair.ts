import type { HeadModel } from '../head/head-model.ts';
import { smoothNormals } from '../head/mesh-normals.ts';
import type { Image } from '../video/frame.ts';
import type { FaceMap } from './face-map.ts';
import { createNoise, fractal, mix, smoothstep } from './noise.ts';
import type { Complexion } from './skin-paint.ts';
import { dilate, visitAtlas } from './surface-texels.ts';

/** Hair as shells over the scalp: an opaque one, and cut-out ones above it in which fewer and fewer strands remain. */
export interface Hair {
  readonly shells: readonly HairShell[];
  /** Triangles of every shell, T×3 into its vertices, and into the head's UVs. */
  readonly triangles: Uint32Array;
  readonly uvTriangles: Uint32Array;
  /** Per shell vertex, the head's vertex that carries it: its skinning weights and identity. */
  readonly carriers: Uint32Array;
}

export interface HairShell {
  /** Rest positions minus the carriers', metres. */
  readonly offsets: Float32Array;
  readonly albedo: Image;
}

const SHELLS = 9;
/** Height of the opaque shell, of the hair's full thickness. */
const BODY = 0.5;
/** Hair lies this far beyond the scalp's border at most, where it thins out on the skin. */
const OVERHANG = 0.004;

/** Short hair, combed away from the crown: fuller on top, close at the sides and the nape. */
export function createHair(
  head: HeadModel,
  face: FaceMap,
  complexion: Complexion,
  seed: number,
  textureSize: number,
): Hair {
  const scalpTriangles = [...head.triangleRegions.keys()].filter((triangle) =>
    head.triangles.subarray(triangle * 3, triangle * 3 + 3).some((vertex) => face.scalpDepth[vertex] > -OVERHANG),
  );
  const source = scalpTriangles.flatMap((triangle) => [...head.triangles.subarray(triangle * 3, triangle * 3 + 3)]);
  const carriers = Uint32Array.from(new Set(source)).toSorted();
  const indexOf = new Map([...carriers.entries()].map(([index, vertex]) => [vertex, index]));
  const triangles = Uint32Array.from(source, (vertex) => indexOf.get(vertex)!);
  const uvTriangles = Uint32Array.from(
    scalpTriangles.flatMap((triangle) => [...head.uvTriangles.subarray(triangle * 3, triangle * 3 + 3)]),
  );
  const texels = strandTexels(head, face, scalpTriangles, createStrands(head, face, seed), textureSize);
  const fullOffsets = hairOffsets(head, face, carriers, seed);
  const shells = Array.from({ length: SHELLS }, (_, i) => {
    const level = i / (SHELLS - 1);
    const height = mix(BODY, 1, level);
    return {
      offsets: fullOffsets.map((value) => value * height),
      albedo: paintShell(texels, complexion, level, textureSize),
    };
  });
  return { shells, triangles, uvTriangles, carriers };
}

/** Per carrier, the way from the scalp to the tips. */
function hairOffsets(head: HeadModel, face: FaceMap, carriers: Uint32Array, seed: number): Float32Array {
  const normals = smoothNormals(head.templateVertices, head.triangles);
  const clumps = fractal(createNoise(seed + 31), 3);
  const top = Math.max(...[...carriers].map((v) => head.templateVertices[v * 3 + 1]));
  const ear = face.at(234)[1];
  const front = face.at(10)[2];
  const offsets = new Float32Array(carriers.length * 3);
  carriers.forEach((vertex, i) => {
    const [x, y, z] = head.templateVertices.subarray(vertex * 3, vertex * 3 + 3);
    const upwards = smoothstep(0.15, 1, (y - ear) / (top - ear));
    const frontal = smoothstep(0.01, front - 0.01, z) * smoothstep(0.1, 0.6, (y - ear) / (top - ear));
    const thickness = 0.007 + 0.015 * upwards + 0.008 * frontal;
    // Over the forehead it begins on the border and is brushed up, so that the face stays free.
    const rise = smoothstep(mix(-OVERHANG, 0.001, frontal), 0.03, face.scalpDepth[vertex]);
    const bulk = thickness * rise * (1 + 0.2 * clumps(x / 0.02, y / 0.02, z / 0.02));
    // Tips lean back and, at the sides, down.
    const lean = [0, -0.35 * (1 - upwards) + 0.45 * frontal, -0.75 * frontal];
    for (let axis = 0; axis < 3; axis++) offsets[i * 3 + axis] = bulk * (normals[vertex * 3 + axis] + lean[axis]);
  });
  return offsets;
}

interface Strand {
  /** 0…1: how far from the scalp the strand at this place reaches. */
  readonly reach: number;
  /** About 1: its brightness. */
  readonly shade: number;
}

/** Strands run from the crown outwards: noise that is fine across them and coarse along them. */
function createStrands(head: HeadModel, face: FaceMap, seed: number): (x: number, y: number, z: number) => Strand {
  const noise = createNoise(seed + 41);
  const bend = fractal(createNoise(seed + 42), 2);
  const [low, high] = [
    face.at(234)[1],
    head.templateVertices.reduce((best, value, i) => (i % 3 === 1 ? Math.max(best, value) : best), -1),
  ];
  const centre = [0, mix(low, high, 0.3), -0.01];
  const crown = [0.18, 0.86, -0.48]; // a little to the left, up and back
  const side = [0.98, -0.19, 0];
  const third = [
    crown[1] * side[2] - crown[2] * side[1],
    crown[2] * side[0] - crown[0] * side[2],
    crown[0] * side[1] - crown[1] * side[0],
  ];
  return (x, y, z) => {
    const d = [x - centre[0], y - centre[1], z - centre[2]];
    const length = Math.hypot(...d);
    const along = (axis: readonly number[]): number => (d[0] * axis[0] + d[1] * axis[1] + d[2] * axis[2]) / length;
    const polar = Math.acos(Math.min(1, Math.max(-1, along(crown))));
    const bent = 0.5 * polar + 0.13 * bend(x / 0.04, y / 0.04, z / 0.04);
    const share = (Math.atan2(along(third), along(side)) + bent) / (2 * Math.PI) + 0.5;
    const turn = share - Math.floor(share);
    // Across the strands once round the head; the last tenth fades into the first, so that no seam shows.
    const across = (count: number, lengthwise: number, layer: number): number =>
      mix(
        noise(turn * count, polar * lengthwise, layer),
        noise((turn - 1) * count, polar * lengthwise, layer),
        smoothstep(0.9, 1, turn),
      );
    // Near the crown the strands of a turn lie closer than texels.
    const fine = smoothstep(0.1, 0.7, polar) * (0.7 * across(460, 3, 0) + 0.3 * across(760, 3, 90));
    const clump = across(150, 2.5, 50);
    const lock = across(40, 2, 70);
    return {
      reach: 0.55 + 0.25 * lock + 0.3 * clump + 0.45 * fine,
      shade: 1 + 0.5 * fine + 0.25 * clump + 0.12 * lock,
    };
  };
}

/** What the shells' textures are made from, painted once. */
interface StrandTexels {
  readonly reach: Float32Array;
  readonly shade: Float32Array;
  /** 0 off the scalp … 1 on it. */
  readonly border: Float32Array;
  /** Texels that show scalp. */
  readonly covered: Uint32Array;
}

function strandTexels(
  head: HeadModel,
  face: FaceMap,
  triangles: readonly number[],
  strands: (x: number, y: number, z: number) => Strand,
  size: number,
): StrandTexels {
  const reach = new Float32Array(size * size);
  const shade = new Float32Array(size * size);
  const border = new Float32Array(size * size);
  const covered = visitAtlas(head, triangles, size, (at, { x, y, z, triangle, wa, wb, wc }) => {
    const [a, b, c] = head.triangles.subarray(triangle * 3, triangle * 3 + 3);
    const depth = wa * face.scalpDepth[a] + wb * face.scalpDepth[b] + wc * face.scalpDepth[c];
    const strand = strands(x, y, z);
    reach[at] = strand.reach;
    shade[at] = strand.shade;
    border[at] = smoothstep(-OVERHANG, 0.006, depth);
  });
  for (const values of [reach, shade, border]) dilate(values, covered, size);
  return { reach, shade, border, covered: dilate(new Float32Array(size * size), covered, size) };
}

function paintShell(
  { reach, shade, border, covered }: StrandTexels,
  { hair }: Complexion,
  level: number,
  size: number,
): Image {
  const data = new Uint8Array(size * size * 4);
  // Depth between strands is dark: what little light gets there makes hair look like strands and not like felt.
  const light = 0.55 + 0.55 * level;
  for (const at of covered) {
    for (let k = 0; k < 3; k++) {
      data[at * 4 + k] = 255 * Math.min(1, hair[k] * light * shade[at] * (1 + 0.25 * Math.max(0, shade[at] - 1)));
    }
    const remains = reach[at] * (0.25 + 0.75 * border[at]) - level * 0.95;
    const alpha =
      level === 0 ? smoothstep(0, 0.12, border[at] - 0.35 + 0.5 * (reach[at] - 0.55)) : smoothstep(-0.1, 0.1, remains);
    data[at * 4 + 3] = Math.round(255 * alpha);
  }
  return { width: size, height: size, channels: 4, data };
}
