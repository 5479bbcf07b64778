import type { FaceModels } from '../inference/face-models.ts';
import { sampleRegion } from '../tracking/region.ts';
import type { Image } from '../video/frame.ts';
import { resizeMap } from './box-filter.ts';

const NETWORK_SIZE = 256;
const HAIR_SIZE = 512;
/** The closer look: this share of the crop, its centre this much above the crop's. */
const CLOSE_SHARE = 0.78;
const CLOSE_RISE = 0.06;

/**
 * Probability that a pixel belongs to the person, size², from two looks: the whole crop, and closer at the head for finer
 * hair. The closer look counts where it reaches, fading towards its border.
 */
export async function personMask(models: Pick<FaceModels, 'segmentation'>, crop: Image): Promise<Float32Array> {
  const size = crop.width;
  const whole = { centerX: size / 2, centerY: size / 2, size, rotation: 0 };
  const close = { centerX: size / 2, centerY: size * (0.5 - CLOSE_RISE), size: size * CLOSE_SHARE, rotation: 0 };
  const look = async (region: typeof whole): Promise<Float32Array> =>
    (
      await models.segmentation.run([
        sampleRegion(crop, region, { size: NETWORK_SIZE, low: 0, high: 1, outside: 'nearest' }),
      ])
    )[0];
  const mask = resizeMap(await look(whole), NETWORK_SIZE, NETWORK_SIZE, size, size);
  const closer = await look(close);
  const scale = NETWORK_SIZE / close.size;
  const result = mask.slice();
  const fade = NETWORK_SIZE / 10;
  for (let y = 0; y < size; y++) {
    const v = (y + 0.5 - close.centerY) * scale + NETWORK_SIZE / 2 - 0.5;
    if (v < 0 || v > NETWORK_SIZE - 1) continue;
    for (let x = 0; x < size; x++) {
      const u = (x + 0.5 - close.centerX) * scale + NETWORK_SIZE / 2 - 0.5;
      if (u < 0 || u > NETWORK_SIZE - 1) continue;
      const border = Math.min(u, v, NETWORK_SIZE - 1 - u, NETWORK_SIZE - 1 - v) / fade;
      const weight = 0.6 * Math.min(border, 1);
      const i = y * size + x;
      result[i] += weight * (bilinear(closer, u, v) - result[i]);
    }
  }
  return result;
}

function bilinear(map: Float32Array, u: number, v: number): number {
  const left = Math.min(Math.floor(u), NETWORK_SIZE - 2);
  const top = Math.min(Math.floor(v), NETWORK_SIZE - 2);
  const at = top * NETWORK_SIZE + left;
  const upper = map[at] + (map[at + 1] - map[at]) * (u - left);
  const lower = map[at + NETWORK_SIZE] + (map[at + NETWORK_SIZE + 1] - map[at + NETWORK_SIZE]) * (u - left);
  return upper + (lower - upper) * (v - top);
}

/** Probability of hair, size²; null without the network. */
export async function hairMask(models: Pick<FaceModels, 'hair'>, crop: Image): Promise<Float32Array | null> {
  if (!models.hair) return null;
  const size = crop.width;
  const region = { centerX: size / 2, centerY: size / 2, size, rotation: 0 };
  const [logits] = await models.hair.run([
    sampleRegion(crop, region, { size: HAIR_SIZE, low: 0, high: 1, outside: 'nearest', channels: 4 }),
  ]);
  const hair = new Float32Array(HAIR_SIZE * HAIR_SIZE).map(
    (_, i) => 1 / (1 + Math.exp(logits[2 * i] - logits[2 * i + 1])),
  );
  return resizeMap(hair, HAIR_SIZE, HAIR_SIZE, size, size);
}
