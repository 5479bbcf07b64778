import { describe, expect, it } from 'vitest';
import { readCanonicalFace, readFaceMeshAsset } from '../../platform/node/canonical-face.ts';
import { parseCanonicalFace } from './canonical-face.ts';

describe('canonical face', () => {
  it('has 468 points in metres, 898 triangles that face outwards, and texture coordinates in 0…1', () => {
    const face = readCanonicalFace();
    expect(face.positions.length).toBe(468 * 3);
    expect(face.triangles.length).toBe(898 * 3);
    expect(Math.max(...face.triangles)).toBe(467);
    expect(Math.min(...face.uvs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...face.uvs)).toBeLessThanOrEqual(1);
    // Forehead (10) above chin (152), about 17.7 cm apart; the subject's left eye corner (263) at positive x.
    expect(face.positions[10 * 3 + 1] - face.positions[152 * 3 + 1]).toBeCloseTo(0.177, 2);
    expect(face.positions[263 * 3]).toBeCloseTo(0.0445, 3);
    expect(face.alignmentWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1.055, 3);
    let outwards = 0;
    for (let t = 0; t < face.triangles.length; t += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => face.triangles[t + k] * 3);
      const p = face.positions;
      outwards += (p[b] - p[a]) * (p[c + 1] - p[a + 1]) - (p[b + 1] - p[a + 1]) * (p[c] - p[a]) > 0 ? 1 : 0;
    }
    expect(outwards).toBeGreaterThan(840);
  });

  it('refuses bytes that are no such file', () => {
    const bytes = readFaceMeshAsset('geometry_pipeline_metadata_landmarks.binarypb');
    expect(() => parseCanonicalFace(bytes.subarray(0, 5000))).toThrow(/cut short/);
    expect(() => parseCanonicalFace(new Uint8Array())).toThrow(/found 0 points/);
    expect(() => parseCanonicalFace(new TextEncoder().encode('not a face'))).toThrow(RangeError);
  });
});
