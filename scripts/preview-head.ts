/**
 * Draws a head model from eight sides and its expressions:
 *   node scripts/run.mjs scripts/preview-head.ts --head builtin --out head.png [--size 320] [--identity name=1,…]
 *     [--expression name=1,…] [--sheet views|expressions|identity|parts|ears|closeups]
 */
import { parseArgs } from 'node:util';
import sharp, { type OverlayOptions } from 'sharp';
import { createBuiltinHead } from '../src/head/builtin/builtin-head.ts';
import type { HeadModel, RegionName } from '../src/head/head-model.ts';
import { poseVertices } from '../src/head/pose-vertices.ts';
import { neutralPose } from '../src/head/pose.ts';
import { readCanonicalFace } from '../src/platform/node/canonical-face.ts';
import { createNodeGpu } from '../src/platform/node/node-gpu.ts';
import { createMeshRenderer, type MeshPart } from '../src/synthetic/mesh-renderer.ts';

interface Shot {
  readonly title: string;
  readonly expression?: string;
  readonly identity?: string;
  /** Radians about the jaw joint's first axis. */
  readonly jawOpen?: number;
  /** Axis-angle of the neck joint. */
  readonly neck?: readonly [number, number, number];
  /** Degrees: the camera goes round to the subject's left, and up. */
  readonly yaw?: number;
  readonly pitch?: number;
  readonly zoom?: number;
  /** Metres: what the camera looks at. */
  readonly target?: readonly [number, number, number];
}

const { values: options } = parseArgs({
  options: {
    head: { type: 'string', default: 'builtin' },
    out: { type: 'string', default: 'head.png' },
    size: { type: 'string', default: '320' },
    sheet: { type: 'string', default: 'views' },
    expression: { type: 'string', default: '' },
    identity: { type: 'string', default: '' },
  },
});
if (options.head !== 'builtin') throw new RangeError(`--head ${options.head}: only "builtin" can be previewed.`);
const head = createBuiltinHead(readCanonicalFace());
const sheets: Record<string, readonly Shot[]> = {
  views: viewShots(),
  expressions: head.expressionNames.map((name) => ({
    title: name,
    expression: `${name}=1`,
    zoom: 1.7,
    target: [0, 0, 0.02],
  })),
  identity: head.identityNames.flatMap((name) =>
    [-2, 2].map((value) => ({ title: `${name} ${value}`, identity: `${name}=${value}`, yaw: 25 })),
  ),
  parts: partShots(),
  closeups: closeupShots(),
  ears: [90, 60, 30, 120, 150, 180].map((yaw) => ({ title: `${yaw}°`, yaw, zoom: 3, target: [0.075, -0.005, -0.015] })),
};
const shots = sheets[options.sheet];
if (!shots) throw new RangeError(`--sheet ${options.sheet}: choose ${Object.keys(sheets).join(', ')}.`);
await drawSheet(shots, Number(options.size), options.out);
process.exit(0);

function viewShots(): Shot[] {
  const around = [0, 45, 90, 135, 180, 225, 270, 315].map((yaw) => ({ title: `${yaw}°`, yaw }));
  return [...around, { title: 'above', pitch: 60 }, { title: 'below', pitch: -50 }, { title: 'ear', yaw: 75, zoom: 3, target: [0.07, 0, 0] }, { title: 'eyes', zoom: 3, target: [0, 0.01, 0.07] }]; // prettier-ignore
}

function closeupShots(): Shot[] {
  const both = (name: string): string => `${name}Left=1,${name}Right=1`;
  const eyes: [number, number, number] = [0, 0.02, 0.07];
  const mouth: [number, number, number] = [0, -0.045, 0.07];
  const upper = ['browDown', 'eyeWide', 'eyeLookUp', 'eyeLookDown', 'eyeSquint', 'cheekSquint'];
  const lower = ['mouthUpperUp', 'mouthLowerDown', 'mouthFrown', 'mouthStretch', 'noseSneer', 'mouthDimple'];
  return [
    ...upper.map((name) => ({ title: name, expression: both(name), zoom: 3, target: eyes })),
    ...lower.map((name) => ({ title: name, expression: both(name), zoom: 3, target: mouth })),
    ...[
      'mouthFunnel',
      'mouthPucker',
      'cheekPuff',
      'mouthRollLower',
      'mouthShrugUpper',
      'mouthLeft',
      'jawLeft',
      'jawForward',
    ].map((name) => ({ title: name, expression: `${name}=1`, zoom: 3, target: mouth, yaw: 20 })),
  ];
}

function partShots(): Shot[] {
  const mouth: [number, number, number] = [0, -0.05, 0.07];
  const eye: [number, number, number] = [-0.032, 0.016, 0.06];
  return [
    { title: 'smile', expression: 'mouthSmileLeft=1,mouthSmileRight=1', zoom: 1.6, target: [0, 0, 0] },
    { title: 'smile 45°', expression: 'mouthSmileLeft=1,mouthSmileRight=1', zoom: 1.6, target: [0, 0, 0], yaw: 45 },
    { title: 'jaw', expression: 'jawOpen=1', zoom: 1.6, target: [0, -0.02, 0] },
    { title: 'jaw 90°', expression: 'jawOpen=1', zoom: 1.6, target: [0, -0.02, 0], yaw: 90 },
    { title: 'jaw inside', expression: 'jawOpen=1', zoom: 3.5, target: mouth },
    { title: 'jaw joint', jawOpen: 0.33, zoom: 1.6, target: [0, -0.02, 0], yaw: 30 },
    { title: 'blink', expression: 'eyeBlinkLeft=1,eyeBlinkRight=1', zoom: 3, target: [0, 0.01, 0.07] },
    { title: 'blink 60°', expression: 'eyeBlinkLeft=1,eyeBlinkRight=1', zoom: 5, target: eye, yaw: -50 },
    { title: 'half blink', expression: 'eyeBlinkLeft=0.5,eyeBlinkRight=0.5', zoom: 5, target: eye },
    { title: 'pucker', expression: 'mouthPucker=1', zoom: 1.6, target: [0, 0, 0] },
    { title: 'pucker 60°', expression: 'mouthPucker=1', zoom: 1.6, target: [0, 0, 0], yaw: 60 },
    {
      title: 'laugh',
      expression: 'mouthSmileLeft=1,mouthSmileRight=1,jawOpen=0.5,cheekSquintLeft=0.7,cheekSquintRight=0.7',
      zoom: 1.6,
      target: [0, 0, 0],
    },
    { title: 'tongue', expression: 'jawOpen=0.7,tongueOut=1', zoom: 1.6, target: [0, -0.02, 0], yaw: 30 },
    { title: 'close', expression: 'jawOpen=1,mouthClose=1', zoom: 1.6, target: [0, 0, 0] },
    { title: 'teeth', expression: 'mouthUpperUpLeft=1,mouthUpperUpRight=1,mouthLowerDownLeft=1,mouthLowerDownRight=1', zoom: 3.5, target: mouth }, // prettier-ignore
    {
      title: 'frown',
      expression: 'mouthFrownLeft=1,mouthFrownRight=1,browDownLeft=1,browDownRight=1',
      zoom: 1.6,
      target: [0, 0, 0],
    },
    { title: 'neck turned', neck: [0, 0.7, 0] },
    { title: 'neck bowed', neck: [0.5, 0, 0], yaw: 90 },
    { title: 'neck back', neck: [-0.5, 0, 0], yaw: 90 },
    {
      title: 'look',
      expression: 'eyeLookOutLeft=1,eyeLookInRight=1,eyeLookDownLeft=0.5,eyeLookDownRight=0.5',
      zoom: 3,
      target: [0, 0.01, 0.07],
    },
  ];
}

function weights(names: readonly string[], list = ''): Float32Array {
  const result = new Float32Array(names.length);
  for (const entry of list.split(',').filter(Boolean)) {
    const [name, value] = entry.split('=');
    const index = names.indexOf(name);
    if (index < 0) throw new RangeError(`"${name}" is none of ${names.join(', ')}.`);
    result[index] = Number(value);
  }
  return result;
}

function lookAt({ yaw = 0, pitch = 0, target = [0, -0.02, -0.01] }: Shot): number[] {
  const [a, b] = [(yaw * Math.PI) / 180, (pitch * Math.PI) / 180];
  const back = [Math.sin(a) * Math.cos(b), Math.sin(b), Math.cos(a) * Math.cos(b)];
  const right = [Math.cos(a), 0, -Math.sin(a)];
  const up = [-Math.sin(a) * Math.sin(b), Math.cos(b), -Math.cos(a) * Math.sin(b)];
  const rows = [right, up.map((v) => -v), back.map((v) => -v)];
  const distance = [0, 0, 1.2];
  return [
    ...rows.flatMap((row, k) => [...row, distance[k] - row.reduce((sum, v, i) => sum + v * target[i], 0)]),
    0,
    0,
    0,
    1,
  ];
}

function colors(model: HeadModel): { triangleColors: Float32Array; gloss: Float32Array } {
  const skin = [0.84, 0.67, 0.58];
  const byRegion: Partial<Record<RegionName, readonly number[]>> = {
    scalp: [0.74, 0.6, 0.53], lips: [0.75, 0.46, 0.43], mouthCavity: [0.3, 0.1, 0.1], gums: [0.78, 0.45, 0.45],
    upperTeeth: [0.93, 0.91, 0.84], lowerTeeth: [0.93, 0.91, 0.84], tongue: [0.75, 0.38, 0.38],
    leftEyeball: [0.93, 0.92, 0.9], rightEyeball: [0.93, 0.92, 0.9], leftEyeSocket: [0.6, 0.3, 0.28], rightEyeSocket: [0.6, 0.3, 0.28],
  }; // prettier-ignore
  const triangleColors = new Float32Array(model.triangleCount * 3);
  const gloss = new Float32Array(model.triangleCount).fill(0.05);
  const firstOf: Partial<Record<RegionName, number>> = {};
  model.triangleRegions.forEach((region, triangle) => {
    const name = model.regionNames[region];
    triangleColors.set(byRegion[name] ?? skin, triangle * 3);
    if (!name.endsWith('Eyeball')) return;
    gloss[triangle] = 0.5;
    // Eyeballs are built from the front: 24 triangles of the tip, then 48 per ring.
    const order = triangle - (firstOf[name] ??= triangle);
    if (order < 24 + 48) triangleColors.set([0.05, 0.05, 0.05], triangle * 3);
    else if (order < 24 + 4 * 48) triangleColors.set([0.35, 0.45, 0.5], triangle * 3);
  });
  return { triangleColors, gloss };
}

async function drawSheet(list: readonly Shot[], size: number, file: string): Promise<void> {
  const gpu = await createNodeGpu();
  const renderer = await createMeshRenderer(gpu);
  const columns = Math.min(list.length, list.length > 20 ? 9 : list.length > 12 ? 5 : 4);
  const material = { ...colors(head), shininess: 30 };
  const tiles: OverlayOptions[] = [];
  for (const [i, shot] of list.entries()) {
    const focal = size * 3.3 * (shot.zoom ?? 1);
    const camera = {
      width: size,
      height: size,
      focalX: focal,
      focalY: focal,
      principalX: size / 2,
      principalY: size / 2,
    };
    const pose = neutralPose(head.expressionNames.length);
    const expression = [options.expression, shot.expression].filter(Boolean).join(',');
    pose.expressionCoefficients.set(weights(head.expressionNames, expression));
    pose.jawPose[0] = shot.jawOpen ?? 0;
    pose.neckPose.set(shot.neck ?? [0, 0, 0]);
    const identity = weights(head.identityNames, [options.identity, shot.identity].filter(Boolean).join(','));
    const part: MeshPart = { mesh: { ...head, vertices: poseVertices(head, identity, pose) }, material };
    const image = await renderer.render([part], { camera, cameraFromWorld: lookAt(shot) });
    const [left, top] = [(i % columns) * size, Math.floor(i / columns) * size];
    tiles.push({ input: Buffer.from(image.data), raw: { width: size, height: size, channels: 4 }, left, top });
    const label = `<svg width="${size}" height="20"><text x="6" y="15" font-size="13" font-family="sans-serif" fill="#fff">${shot.title}</text></svg>`;
    tiles.push({ input: Buffer.from(label), left, top });
  }
  const [width, height] = [columns * size, Math.ceil(list.length / columns) * size];
  await sharp({ create: { width, height, channels: 3, background: { r: 88, g: 104, b: 122 } } })
    .composite(tiles)
    .png()
    .toFile(file);
  console.log(
    `${file}: ${list.length} pictures of ${head.name} (${head.vertexCount} vertices, ${head.triangleCount} triangles)`,
  );
}
