import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Gpu } from '../../gpu/gpu.ts';
import type { HeadModel } from '../../head/head-model.ts';
import { contentHash } from '../../math/content-hash.ts';
import {
  renderSyntheticSubject,
  SYNTHETIC_DEFAULTS,
  type SyntheticOptions,
} from '../../synthetic/synthetic-subject.ts';
import { serializeTrack } from '../../tracking/track-json.ts';
import type { OnProgress } from '../../video/frame.ts';
import { encodePng } from './image-file.ts';
import { createVideoWriter } from './video-writer.ts';

/** Raise when the same options give other pictures. */
const SUBJECT_VERSION = 1;
/** Near lossless: the clip's own compression must not be what bounds a fit's quality. */
const CLIP_QUALITY = 12;

export interface SyntheticFolder {
  /** H.264. */
  readonly clipPath: string;
  /** The exact track, as `parseTrack` reads it. */
  readonly trackPath: string;
  /** `00000.png` …: 8-bit grey. */
  readonly mattesPath: string;
  /** `00.png` …: RGBA, and `views.json` with camera and pose of each. */
  readonly viewsPath: string;
}

/**
 * Renders a synthetic subject into `folder`: `clip.mp4`, `track.json`, `mattes/`, `views/`. Does nothing when the folder
 * holds the same subject already; an unfinished one is made anew.
 */
export async function createSyntheticFolder(
  gpu: Gpu,
  head: HeadModel,
  folder: string,
  options: Partial<SyntheticOptions> = {},
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<SyntheticFolder> {
  const { size, framesPerSecond } = { ...SYNTHETIC_DEFAULTS, ...options };
  const paths: SyntheticFolder = {
    clipPath: join(folder, 'clip.mp4'),
    trackPath: join(folder, 'track.json'),
    mattesPath: join(folder, 'mattes'),
    viewsPath: join(folder, 'views'),
  };
  const donePath = join(folder, 'subject.json');
  const headHash = contentHash(
    head.templateVertices,
    head.triangles,
    head.uvs,
    head.expressionBasis,
    head.skinningWeights,
  );
  const description = JSON.stringify({
    version: SUBJECT_VERSION,
    head: head.name,
    headHash,
    ...SYNTHETIC_DEFAULTS,
    ...options,
  });
  if ((await readFile(donePath, 'utf8').catch(() => null)) === description) return paths;
  await rm(donePath, { force: true });
  for (const path of [paths.mattesPath, paths.viewsPath]) {
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
  }
  const video = await createVideoWriter(paths.clipPath, {
    width: size,
    height: size,
    framesPerSecond,
    quality: CLIP_QUALITY,
  });
  try {
    const output = {
      frame: (_: number, image: Parameters<typeof video.write>[0]) => video.write(image),
      matte: async (index: number, coverage: Uint8Array) => {
        const png = sharp(coverage, { raw: { width: size, height: size, channels: 1 } }).png({ compressionLevel: 4 });
        await png.toFile(join(paths.mattesPath, `${String(index).padStart(5, '0')}.png`));
      },
      view: async (index: number, image: Parameters<typeof encodePng>[0]) =>
        writeFile(join(paths.viewsPath, `${String(index).padStart(2, '0')}.png`), await encodePng(image)),
    };
    const { track, views } = await renderSyntheticSubject(gpu, head, output, options, onProgress, signal);
    await video.finish();
    await writeFile(paths.trackPath, serializeTrack(track));
    const plainViews = views.map(({ camera, pose }) => ({
      camera,
      pose: Object.fromEntries(
        Object.entries(pose).map(([name, values]) => [name, Array.from(values as Float32Array)]),
      ),
    }));
    await writeFile(join(paths.viewsPath, 'views.json'), JSON.stringify(plainViews));
    await writeFile(donePath, description);
  } catch (error) {
    await video.abort();
    throw error;
  }
  return paths;
}
