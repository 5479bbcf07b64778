import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

/** Shared ground: any stage may import it, and it imports no stage. */
const GROUND = ['gpu', 'math', 'network', 'inference'];

/** Stages in the method's order: each may import those before it, never one after it. */
const STAGES = [
  'video',
  'head',
  'tracking',
  'matting',
  'gaussians',
  'binding',
  'rasterizer',
  'avatar',
  'export',
  'viewer',
  'synthetic',
  'losses',
  'fitting',
  'baking',
  'completion',
  'editing',
  'animation',
  'evaluation',
  'report',
];

/** Data types that stages hand to each other: any stage and the ground may import them. */
const DATA_TYPES = [
  'src/video/frame.ts',
  'src/head/head-model.ts',
  'src/head/pose.ts',
  'src/tracking/track.ts',
  'src/gaussians/layout.ts',
];

const root = resolve(import.meta.dirname, '..');
const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*${},\s]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2]!);
}

/** Path from the root of what a relative import names, or null for a package. */
function target(file: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return relative(root, resolve(root, dirname(file), specifier.replace(/\?\w+$/, '')));
}

function filesUnder(...folders: string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name))))
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith('.test.ts'))
    .toSorted();
}

/** Every (file, import) of the folders for which `isWrong` gives a reason. */
function faults(files: string[], isWrong: (file: string, specifier: string) => string | null): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((specifier) => {
      const reason = isWrong(file, specifier);
      return reason ? [`${file} imports ${specifier}: ${reason}`] : [];
    }),
  );
}

const folderOf = (path: string): string => path.split('/')[1]!;
const isOutsidePlatform = (file: string): boolean => !file.startsWith('src/platform/');

describe('imports', () => {
  it('go from a stage to shared ground and earlier stages only', () => {
    const files = filesUnder('src').filter((file) => isOutsidePlatform(file) && file.split('/').length > 2);
    const wrong = faults(files, (file, specifier) => {
      const path = target(file, specifier);
      if (!path?.startsWith('src/') || DATA_TYPES.includes(path)) return null;
      const [from, to] = [folderOf(file), folderOf(path)];
      if (from === to || GROUND.includes(to) || path.split('/').length === 2) return null;
      if (GROUND.includes(from)) return 'shared ground imports no stage';
      if (to === 'platform') return 'a stage gets its platform handed in';
      const [fromRank, toRank] = [STAGES.indexOf(from), STAGES.indexOf(to)];
      if (fromRank < 0 || toRank < 0) return `"${fromRank < 0 ? from : to}" has no place in the order of this test`;
      return toRank > fromRank ? `${to} comes after ${from}` : null;
    });
    expect(wrong).toEqual([]);
  });

  it('of the library name neither node: nor a package of the Node edge', () => {
    const nodeOnly = ['sharp', 'webgpu', 'commander', 'cli-progress'];
    const wrong = faults(filesUnder('src').filter(isOutsidePlatform), (file, specifier) => {
      if (specifier.startsWith('node:') || nodeOnly.includes(specifier)) return 'belongs into src/platform/node';
      return target(file, specifier)?.startsWith('src/platform/') ? 'the platform is handed in' : null;
    });
    expect(wrong).toEqual([]);
  });

  it('of the viewer never reach fitting', () => {
    const reached = new Map<string, string>();
    const pending = filesUnder('src/viewer').map((file) => [file, file] as [string, string]);
    while (pending.length > 0) {
      const [file, way] = pending.pop()!;
      if (reached.has(file) || !/\.(ts|mjs)$/.test(file)) continue;
      reached.set(file, way);
      for (const specifier of importsOf(file)) {
        const path = target(file, specifier);
        if (path) pending.push([path, `${way} → ${path}`]);
      }
    }
    expect([...reached].filter(([file]) => file.startsWith('src/fitting/')).map(([, way]) => way)).toEqual([]);
  });

  it('of the command, the examples and the studio take the package by its public names', () => {
    const wrong = faults(filesUnder('cli', 'examples', 'studio'), (file, specifier) => {
      const path = target(file, specifier);
      return path && !path.startsWith(`${file.split('/')[0]}/`)
        ? 'import fate-avatar or fate-avatar/node instead'
        : null;
    });
    expect(wrong).toEqual([]);
  });

  it('name only packages that package.json lists', () => {
    const shipped = Object.keys(packageJson.dependencies);
    const wrong = faults(filesUnder('src', 'cli'), (_, specifier) => {
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      const isListed = /^(\.|node:|fate-avatar)/.test(specifier) || shipped.includes(name);
      return isListed ? null : 'not among the dependencies';
    });
    expect(wrong).toEqual([]);
  });
});
