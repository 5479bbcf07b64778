import { stat } from 'node:fs/promises';
import { FilePathSource } from 'mediabunny';
import { UnsupportedVideoError } from '../../video/errors.ts';
import type { VideoPlatform } from '../../video/video-platform.ts';
import { decodeWithFfmpeg } from './ffmpeg-decoder.ts';

/** Reads video files in Node; the system's ffmpeg decodes. */
export const nodeVideoPlatform: VideoPlatform = {
  async openSource(path) {
    const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`;
      throw new UnsupportedVideoError('missing', `The file ${path} ${why}. Check the path.`, { cause: error });
    });
    if (!file.isFile())
      throw new UnsupportedVideoError('missing', `${path} is not a file. Give the path of a video file.`);
    if (file.size === 0)
      throw new UnsupportedVideoError('empty', `${path} is empty (0 bytes). Copy or export it again.`);
    return new FilePathSource(path);
  },
  decode: decodeWithFfmpeg,
};
