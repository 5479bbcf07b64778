import { createBuiltinHead } from '../../head/builtin/builtin-head.ts';
import { HeadModelError, type HeadModel } from '../../head/head-model.ts';
import { createIctHead } from '../../head/ict/ict-head.ts';
import { alignToNetwork } from '../../head/landmarks/network-offsets.ts';
import { openCacheFolder } from './cache-folder.ts';
import { readCanonicalFace } from './canonical-face.ts';
import { openFolder } from './folder.ts';

/** Opens a head model by its name on the command line: `builtin` or `ict:FOLDER`. Throws `HeadModelError`. */
export async function openHead(name: string): Promise<HeadModel> {
  if (name === 'builtin') {
    const head = createBuiltinHead(readCanonicalFace());
    return { ...head, landmarks: alignToNetwork(head, head.landmarks) };
  }
  if (name.startsWith('ict:') && name.length > 4) {
    return createIctHead(await openFolder(name.slice(4)), readCanonicalFace(), { cache: openCacheFolder() });
  }
  throw new HeadModelError(
    `head "${name}" is unknown; give "builtin", or "ict:FOLDER" with the folder of ICT-FaceKit Light.`,
  );
}
