import { describe, expect, it } from 'vitest';
import { encodePly } from './ply.ts';

describe('encodePly', () => {
  const bytes = encodePly({
    count: 2,
    meanOpacity: Float32Array.of(1, 2, 3, 0.5, 4, 5, 6, 1),
    rotation: Float32Array.of(1, 0, 0, 0, 0.5, 0.5, 0.5, 0.5),
    scale: Float32Array.of(1, Math.E, 1, 0, 1, 1, 0, 0),
    rgb: Float32Array.of(0.5, 0.5 + 0.28209479177387814, 0.5, 0, 0, 0, 0, 0),
  });
  const end = new TextDecoder('latin1').decode(bytes).indexOf('end_header\n') + 'end_header\n'.length;
  const view = new DataView(bytes.buffer, end);
  const float = (index: number): number => view.getFloat32(index * 4, true);

  it('writes the 3DGS header and 17 floats a Gaussian', () => {
    const text = new TextDecoder('latin1').decode(bytes.subarray(0, end));
    expect(text).toContain('format binary_little_endian 1.0\nelement vertex 2\n');
    expect(text.match(/property float/g)).toHaveLength(17);
    expect(bytes.length).toBe(end + 2 * 17 * 4);
  });

  it('stores positions, degree-0 colour, opacity logit, log scale and wxyz', () => {
    expect([float(0), float(1), float(2)]).toEqual([1, 2, 3]);
    expect(float(7)).toBeCloseTo(1, 6);
    expect(float(9)).toBeCloseTo(0, 6);
    expect(float(11)).toBeCloseTo(1, 6);
    expect(float(13)).toBe(1);
  });

  it('keeps opaque and flat Gaussians finite', () => {
    for (let field = 0; field < 34; field++) expect(Number.isFinite(float(field))).toBe(true);
  });
});
