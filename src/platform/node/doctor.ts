import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { VERSION } from '../../version.ts';
import { childEnd, ffmpegPath, ffmpegVersion } from './ffmpeg.ts';
import { findChromium, installAdvice, programVersion, readSystem, type MachinePart } from './machine.mjs';
import { createNodeGpu } from './node-gpu.ts';
import { modelsFolder } from './optional-files.ts';
import { OPTIONAL_MODELS } from './optional-models.ts';

/** What `fate doctor` finds on a machine. */
export interface MachineReport {
  readonly version: string;
  readonly system: string;
  readonly node: string;
  readonly processors: number;
  readonly memoryMB: number;
  readonly adapter: AdapterReport | null;
  readonly ffmpeg: { readonly path: string; readonly version: string; readonly hasH264Encoder: boolean } | null;
  readonly chromium: { readonly path: string; readonly version: string } | null;
  readonly models: readonly ModelReport[];
  readonly heads: readonly HeadReport[];
  /** What to install for each missing part. */
  readonly advice: readonly string[];
  /** Whether `fate create` can run. */
  readonly isReady: boolean;
}

export interface AdapterReport {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly isSoftware: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<(typeof LIMITS)[number], number>>;
}

export interface ModelReport {
  readonly name: string;
  readonly purpose: string;
  /** The npm package or the folder that it is from. */
  readonly source: string;
  readonly isFound: boolean;
}

export interface HeadReport {
  readonly name: string;
  readonly isFound: boolean;
  readonly detail: string;
}

const LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const;
const FEATURES = ['timestamp-query', 'subgroups', 'shader-f16'];

const PACKAGED_MODELS = [
  {
    name: 'face_detection_short_range, face_landmark',
    purpose: 'finds the face and its 468 points',
    package: '@mediapipe/face_mesh',
    file: 'face_mesh_solution_packed_assets.data',
  },
  {
    name: 'selfie_segmentation',
    purpose: 'separates the person from the background',
    package: '@mediapipe/selfie_segmentation',
    file: 'selfie_segmentation.tflite',
  },
] as const;

/** Looks at the machine; never throws for something that is missing. */
export async function examineMachine(options: {
  modelsFolder: string | null;
  head: string | null;
}): Promise<MachineReport> {
  const [adapter, ffmpeg] = await Promise.all([examineAdapter(), examineFfmpeg()]);
  const chromium = examineChromium();
  const models = [...packagedModels(), ...folderModels(options.modelsFolder)];
  const heads = examineHeads(options.head);
  const missing: MachinePart[] = [];
  if (!adapter) missing.push('adapter');
  if (!ffmpeg?.hasH264Encoder) missing.push('ffmpeg');
  if (!chromium) missing.push('chromium');
  const system = readSystem();
  const advice = installAdvice(system, missing);
  const lacksPackages = models.some((model) => !model.isFound && model.source.startsWith('@'));
  if (lacksPackages) advice.push('npm packages with models. npm install');
  const isReady = Boolean(adapter && ffmpeg) && !lacksPackages && heads.every((head) => head.isFound);
  return {
    version: VERSION,
    system: `${system.name} (${process.platform} ${process.arch})`,
    node: process.versions.node,
    processors: availableParallelism(),
    memoryMB: Math.round(totalmem() / 1048576),
    adapter,
    ffmpeg,
    chromium,
    models,
    heads,
    advice,
    isReady,
  };
}

async function examineAdapter(): Promise<AdapterReport | null> {
  const gpu = await createNodeGpu().catch(() => null);
  if (!gpu) return null;
  const { vendor, architecture, description, isSoftware } = gpu.adapter;
  const { features, limits } = gpu.device;
  const report = {
    vendor,
    architecture,
    description,
    isSoftware,
    features: FEATURES.filter((feature) => features.has(feature)),
    limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])) as AdapterReport['limits'],
  };
  gpu.dispose();
  return report;
}

async function examineFfmpeg(): Promise<MachineReport['ffmpeg']> {
  const found = await ffmpegVersion().catch(() => null);
  if (!found) return null;
  const child = spawn(ffmpegPath(), ['-hide_banner', '-encoders'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await childEnd(child);
  return { path: ffmpegPath(), version: found.version, hasH264Encoder: /\blibx264\b/.test(text) };
}

function examineChromium(): MachineReport['chromium'] {
  const path = findChromium();
  return path ? { path, version: programVersion(path) ?? 'does not start' } : null;
}

function packagedModels(): ModelReport[] {
  const require = createRequire(import.meta.url);
  return PACKAGED_MODELS.map((model) => {
    let isFound = false;
    try {
      isFound = existsSync(join(dirname(require.resolve(`${model.package}/package.json`)), model.file));
    } catch {
      // not installed: reported as absent
    }
    return { name: model.name, purpose: model.purpose, source: model.package, isFound };
  });
}

/** What `fate models` tells more of. */
function folderModels(given: string | null): ModelReport[] {
  const folder = modelsFolder(given);
  return OPTIONAL_MODELS.map(({ files, purpose }) => {
    const found = files.find(({ file }) => existsSync(join(folder, file)));
    return { name: found?.file ?? files[0]!.file, purpose, source: folder, isFound: found !== undefined };
  });
}

function examineHeads(head: string | null): HeadReport[] {
  const builtin = { name: 'builtin', isFound: true, detail: 'made by code' };
  if (!head || head === 'builtin') return [builtin];
  const separator = head.indexOf(':');
  const [kind, folder] = [head.slice(0, separator), head.slice(separator + 1)];
  if (kind !== 'ict') return [builtin, { name: head, isFound: false, detail: 'give "builtin" or "ict:FOLDER"' }];
  if (!existsSync(folder)) return [builtin, { name: head, isFound: false, detail: 'there is no such folder' }];
  const names = readdirSync(folder, { recursive: true }).map(String);
  const objects = names.filter((name) => name.endsWith('.obj')).length;
  const isPacked = names.includes('ict_basis_i16.bin') && names.includes('ict_basis_i16.json');
  const isFound = isPacked || objects > 0;
  const detail = isPacked
    ? 'packed form'
    : isFound
      ? `${objects} OBJ files`
      : 'holds neither OBJ files nor the packed form';
  return [builtin, { name: head, isFound, detail }];
}
