import { SH_C0 } from '../gaussians/layout.ts';

/** Activated Gaussians in one space, as the rasteriser takes them (four floats per record, `gaussians/layout.ts`). */
export interface WorldGaussianArrays {
  readonly count: number;
  readonly meanOpacity: Float32Array;
  readonly rotation: Float32Array;
  readonly scale: Float32Array;
  readonly rgb: Float32Array;
}

const FIELDS = [
  'x', 'y', 'z', 'nx', 'ny', 'nz', 'f_dc_0', 'f_dc_1', 'f_dc_2', 'opacity',
  'scale_0', 'scale_1', 'scale_2', 'rot_0', 'rot_1', 'rot_2', 'rot_3',
]; // prettier-ignore

/** Opacity logits beyond ±this add nothing a viewer could show, and keep 0 and 1 finite. */
const LOGIT_LIMIT = 16;

/**
 * Encodes Gaussians in the binary PLY layout of 3D Gaussian Splatting: log scale, opacity logit, rotation wxyz, degree-0
 * colour, zero normals. Units and axes are those given: hand in head space for y up, z forward, metres.
 */
export function encodePly(gaussians: WorldGaussianArrays): Uint8Array {
  const { count, meanOpacity, rotation, scale, rgb } = gaussians;
  const header = new TextEncoder().encode(
    `ply\nformat binary_little_endian 1.0\nelement vertex ${count}\n` +
      FIELDS.map((field) => `property float ${field}\n`).join('') +
      'end_header\n',
  );
  const bytes = new Uint8Array(header.length + count * FIELDS.length * 4);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  for (let index = 0; index < count; index++) {
    const record = index * 4;
    const opacity = meanOpacity[record + 3]!;
    const logit = Math.log(opacity / (1 - opacity));
    const values = [
      ...meanOpacity.subarray(record, record + 3),
      0, 0, 0,
      ...[0, 1, 2].map((channel) => (rgb[record + channel]! - 0.5) / SH_C0),
      Math.max(-LOGIT_LIMIT, Math.min(LOGIT_LIMIT, logit)),
      ...[0, 1, 2].map((axis) => Math.log(Math.max(scale[record + axis]!, 1e-9))),
      ...rotation.subarray(record, record + 4),
    ]; // prettier-ignore
    values.forEach((value, field) => view.setFloat32((index * FIELDS.length + field) * 4, value, true));
  }
  return bytes;
}
