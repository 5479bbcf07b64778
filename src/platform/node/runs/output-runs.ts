import { mkdir } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { parseExpression } from '../../../animation/expression-text.ts';
import { EXPORT_OPTIONS, RENDER_OPTIONS, type ExportOptions, type RenderOptions } from '../../../command-options.ts';
import type { Avatar } from '../../../avatar/avatar.ts';
import { encodePackage } from '../../../baking/package-file.ts';
import { resampleMatched } from '../../../baking/resample-matched.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import { encodePly } from '../../../export/ply.ts';
import { OptionError, resolveOptions } from '../../../options.ts';
import { AvatarRenderer } from '../../../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../../../viewer/views.ts';
import { matrixFromAxisAngle, transformVector } from '../../../math/rotation.ts';
import type { WorldGaussianArrays } from '../../../export/ply.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { encodePng } from '../image-file.ts';
import { writeVideo } from '../report-files.ts';
import { RunFolder } from '../run-folder.ts';
import { withGpu, type RunContext } from './context.ts';
import { FRAMES_PER_SECOND, renderTurn } from './evaluate-run.ts';
import { openAvatar, openMaps, type AvatarChoice } from './open-avatar.ts';

/** Renders one picture (PNG), or with `orbit` a full turn (MP4), of a run's avatar. */
export async function renderAvatar(
  { folder: path, out, ...given }: { folder: string; out: string } & Partial<RenderOptions>,
  context: RunContext = {},
): Promise<{ file: string; frames: number }> {
  const options = resolveOptions(RENDER_OPTIONS, given);
  const wanted = options.orbit ? '.mp4' : '.png';
  if (extname(out).toLowerCase() !== wanted) {
    throw new OptionError(
      `option "out" is "${out}", but ${options.orbit ? 'a turn is written as .mp4' : 'a picture is written as .png (with --orbit as .mp4)'}`,
    );
  }
  const expression = options.expression ? parseExpression(options.expression) : {};
  return withAvatar(
    path,
    (folder) => openAvatar(folder, options),
    context,
    async (renderer) => {
      const file = resolve(out);
      await mkdir(dirname(file), { recursive: true });
      if (options.orbit) {
        const frames = renderTurn(
          renderer,
          options.size,
          options.seconds,
          context.onProgress,
          expression,
          options.pitch,
        );
        return { file, frames: await writeVideo(file, frames, FRAMES_PER_SECOND, context.signal) };
      }
      const pose = poseForView(renderer.avatar, { yaw: options.yaw, pitch: options.pitch }, expression);
      const image = await renderer.render(pose, centredCamera(renderer.avatar.camera, options.size));
      await writeFileAtomically(file, await encodePng(image));
      return { file, frames: 1 };
    },
  );
}

/** What to write, and of which avatar. */
export interface ExportChoice extends AvatarChoice, Partial<ExportOptions> {
  readonly folder: string;
  /** PLY file: the Gaussians in neutral pose, head space (y up, metres), 3DGS layout. */
  readonly ply?: string;
  /** `.fate` file: the baked avatar in one small file, with its edits where `edited` is given. */
  readonly package?: string;
}

/** Files written; `file` and `bytes` are the PLY's, or the package's when there is no PLY. */
export interface ExportResult {
  readonly file: string;
  readonly bytes: number;
  readonly gaussians: number;
  readonly package: { readonly file: string; readonly bytes: number } | null;
}

/** Writes an avatar for other programs. Throws `OptionError`, `RunFolderError`, `MapsFileError`, `ResampleError`. */
export async function exportAvatar(choice: ExportChoice, context: RunContext = {}): Promise<ExportResult> {
  const { folder: path, ply, package: packageFile } = choice;
  const { gaussians, matchSteps, seed } = resolveOptions(EXPORT_OPTIONS, {
    gaussians: choice.gaussians,
    matchSteps: choice.matchSteps,
    seed: choice.seed,
  });
  if (ply === undefined && packageFile === undefined)
    throw new OptionError('nothing to write was named; give --ply FILE, --package FILE.fate or both');
  if (packageFile !== undefined && extname(packageFile).toLowerCase() !== '.fate')
    throw new OptionError(`option "package" is "${packageFile}", but a packaged avatar is written as .fate`);
  const packed = packageFile === undefined ? null : await writePackage(path, choice, resolve(packageFile));
  if (ply === undefined)
    return { file: packed!.file, bytes: packed!.bytes, gaussians: packed!.gaussians, package: packed };
  const write = async (renderer: AvatarRenderer): Promise<ExportResult> => {
    const pose = poseForView(renderer.avatar);
    const bytes = encodePly(inHeadSpace(await renderer.worldGaussians(pose), pose.headTranslation[2]!));
    const file = resolve(ply);
    await writeFileAtomically(file, bytes);
    return { file, gaussians: renderer.avatar.gaussians.count, bytes: bytes.length, package: packed };
  };
  if (gaussians === null) return withAvatar(path, (folder) => openAvatar(folder, choice), context, write);
  const open = async (folder: RunFolder): Promise<(gpu: Gpu) => Promise<Avatar>> => {
    const maps = await openMaps(folder, choice);
    // With edits, what is to be seen is finer than the maps: stickers and strokes bring Gaussians of their own.
    const original = choice.edited ? { original: await openAvatar(folder, choice) } : {};
    const options = { ...original, steps: matchSteps, seed };
    return (gpu) => resampleMatched(gpu, maps, gaussians, options, context.onProgress, context.signal);
  };
  return withAvatar(path, open, context, write);
}

async function writePackage(
  path: string,
  choice: AvatarChoice,
  file: string,
): Promise<{ file: string; bytes: number; gaussians: number }> {
  const folder = await RunFolder.open(path);
  try {
    const baked = await openMaps(folder, choice);
    const bytes = encodePackage(baked);
    await writeFileAtomically(file, bytes);
    return { file, bytes: bytes.length, gaussians: baked.avatar.gaussians.count };
  } finally {
    await folder.close();
  }
}

/** Camera space of a frontal head (y down, z away) at `depth` to head space (y up, z forward): half a turn about x. */
function inHeadSpace(world: WorldGaussianArrays, depth: number): WorldGaussianArrays {
  const turn = matrixFromAxisAngle([Math.PI, 0, 0]);
  const meanOpacity = world.meanOpacity.slice();
  const rotation = world.rotation.slice();
  for (let index = 0; index < world.count; index++) {
    const at = index * 4;
    meanOpacity.set(transformVector(turn, meanOpacity[at]!, meanOpacity[at + 1]!, meanOpacity[at + 2]! - depth), at);
    const [w, x, y, z] = rotation.subarray(at, at + 4) as unknown as [number, number, number, number];
    rotation.set([-x, w, -z, y], at); // the quaternion (0, 1, 0, 0) times it
  }
  return { ...world, meanOpacity, rotation };
}

async function withAvatar<T>(
  path: string,
  open: (folder: RunFolder) => Promise<Avatar | ((gpu: Gpu) => Promise<Avatar>)>,
  context: RunContext,
  work: (renderer: AvatarRenderer) => Promise<T>,
): Promise<T> {
  const folder = await RunFolder.open(path);
  try {
    const opened = await open(folder);
    return await withGpu(context, async (gpu) => {
      const avatar = typeof opened === 'function' ? await opened(gpu) : opened;
      const renderer = await AvatarRenderer.create(gpu, avatar);
      try {
        return await work(renderer);
      } finally {
        renderer.dispose();
      }
    });
  } finally {
    await folder.close();
  }
}
