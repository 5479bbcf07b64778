import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseCanonicalFace, type CanonicalFace } from '../../head/landmarks/canonical-face.ts';

const METADATA = 'geometry_pipeline_metadata_landmarks.binarypb';

/** Reads the canonical face from the installed npm package `@mediapipe/face_mesh`. */
export function readCanonicalFace(): CanonicalFace {
  return parseCanonicalFace(readFaceMeshAsset(METADATA));
}

/**
 * One of the files that `@mediapipe/face_mesh` packs into `face_mesh_solution_packed_assets.data`, by its base name.
 * The package's loader script lists their byte ranges.
 */
export function readFaceMeshAsset(baseName: string): Uint8Array {
  const folder = dirname(createRequire(import.meta.url).resolve('@mediapipe/face_mesh/package.json'));
  const script = readFileSync(join(folder, 'face_mesh_solution_packed_assets_loader.js'), 'utf8');
  const list = /"files":\s*(\[[^\]]*\])/.exec(script);
  const files = (list ? JSON.parse(list[1]) : []) as { filename: string; start: number; end: number }[];
  const file = files.find((entry) => entry.filename.endsWith(`/${baseName}`));
  if (!file) {
    throw new Error(
      `${baseName} is not among the files of @mediapipe/face_mesh in ${folder}. ` +
        'Reinstall the package in the version that package.json names.',
    );
  }
  return new Uint8Array(
    readFileSync(join(folder, 'face_mesh_solution_packed_assets.data')).subarray(file.start, file.end),
  );
}
