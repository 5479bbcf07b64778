import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AttributeMaps } from '../../../baking/attribute-maps.ts';
import { EditError } from '../../../editing/layers.ts';
import { styleColorMap } from '../../../editing/style-network.ts';
import type { StyleRange } from '../../../editing/style-ranges.ts';
import type { Image } from '../../../video/frame.ts';
import { createNodeNetworkRuntime } from '../network-runtime.ts';
import type { RunContext } from './context.ts';

/** The picture that a user's style network makes of a colour map. */
export async function styleMap(
  { onProgress }: RunContext,
  file: string,
  { colorMap, size }: AttributeMaps,
  range: StyleRange,
): Promise<{ image: Image; network: string }> {
  const network = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new EditError(`${file} ${error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`}; give an .onnx file`); // prettier-ignore
  });
  const runtime = await createNodeNetworkRuntime();
  const styled = await styleColorMap(runtime, { network, name: basename(file), colorMap, size, range, onProgress });
  const plane = size * size;
  const data = Uint8Array.from({ length: plane * 3 }, (_, at) =>
    Math.round(255 * styled[(at % 3) * plane + Math.floor(at / 3)]),
  );
  return { image: { width: size, height: size, channels: 3, data }, network: basename(file) };
}
