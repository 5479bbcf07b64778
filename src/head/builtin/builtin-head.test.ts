import { describe, expect, it } from 'vitest';
import { readCanonicalFace } from '../../platform/node/canonical-face.ts';
import { ARKIT_EXPRESSION_NAMES, JOINT_NAMES, type RegionName } from '../head-model.ts';
import { neutralPose, type HeadPose } from '../pose.ts';
import { identityVertices, jointPositions, poseVertices } from '../pose-vertices.ts';
import { createBuiltinHead } from './builtin-head.ts';
import { LOWER_LID, LOWER_LIP, mirrorPoints, UPPER_LID, UPPER_LIP } from './face-points.ts';

const face = readCanonicalFace();
// Processor time, not the clock: other work on the machine must not fail the test.
const started = process.cpuUsage();
const head = createBuiltinHead(face);
const spent = process.cpuUsage(started);
const buildSeconds = (spent.user + spent.system) / 1e6;
const { triangles } = head;

type Point = [number, number, number];
const at = (points: ArrayLike<number>, index: number): Point => [0, 1, 2].map((k) => points[index * 3 + k]) as Point;
const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const landmarkVertex = (landmark: number): number => {
  const corner = [0, 1, 2].find((k) => head.landmarks.barycentrics[landmark * 3 + k] === 1)!;
  return triangles[head.landmarks.triangleIndices[landmark] * 3 + corner];
};
const posed = (expressions: Record<string, number>, change: Partial<HeadPose> = {}): Float32Array => {
  const pose = { ...neutralPose(52), ...change };
  for (const [name, value] of Object.entries(expressions)) {
    pose.expressionCoefficients[head.expressionNames.indexOf(name)] = value;
  }
  return poseVertices(head, [], pose);
};
const verticesOf = (...regions: RegionName[]): Set<number> => {
  const found = new Set<number>();
  head.triangleRegions.forEach((region, t) => {
    if (regions.includes(head.regionNames[region])) for (let k = 0; k < 3; k++) found.add(triangles[t * 3 + k]);
  });
  return found;
};
/** For each vertex, the one at its mirror place, or −1. */
const mirrored = (points: Float32Array): Int32Array => {
  const cells = new Map<string, number[]>();
  const key = (p: Point): string => p.map((value) => Math.round(value * 1e4)).join();
  for (let v = 0; v < head.vertexCount; v++) {
    const [x, y, z] = at(points, v);
    for (const dx of [-1, 0, 1]) for (const dy of [-1, 0, 1]) for (const dz of [-1, 0, 1]) {
      const cell = key([x + dx * 1e-4, y + dy * 1e-4, z + dz * 1e-4]);
      cells.set(cell, [...(cells.get(cell) ?? []), v]);
    }
  } // prettier-ignore
  return Int32Array.from({ length: head.vertexCount }, (_, v) => {
    const [x, y, z] = at(points, v);
    const near = cells.get(key([-x, y, z])) ?? [];
    return near.find((other) => distance(at(points, other), [-x, y, z]) < 5e-6) ?? -1;
  });
};

describe('built-in head: mesh', () => {
  it('has the promised size and fills every field', () => {
    expect(head.vertexCount).toBeGreaterThan(4000);
    expect(head.vertexCount).toBeLessThan(10000);
    expect(head.templateVertices.every(Number.isFinite)).toBe(true);
    expect(head.expressionNames).toEqual([...ARKIT_EXPRESSION_NAMES]);
    expect(head.expressionBasis.length).toBe(52 * head.vertexCount * 3);
    expect(head.expressionBasis.every(Number.isFinite)).toBe(true);
    expect(head.identityNames.length).toBeGreaterThanOrEqual(10);
    expect(head.identityBasis.length).toBe(head.identityNames.length * head.vertexCount * 3);
    expect(head.identityBasis.every(Number.isFinite)).toBe(true);
    expect(new Set(head.triangleRegions).size).toBe(head.regionNames.length);
  });

  it('is built in under 3 s, the same bytes each time', () => {
    expect(buildSeconds).toBeLessThan(3);
    const again = createBuiltinHead(face);
    const bytes = (array: ArrayBufferView): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    for (const [field, value] of Object.entries(again) as [keyof typeof head, unknown][]) {
      if (ArrayBuffer.isView(value)) expect(bytes(value).equals(bytes(head[field] as Uint8Array)), field).toBe(true);
      else expect(value, field).toEqual(head[field]);
    }
  });

  it('is closed and consistently oriented but for the neck’s base', () => {
    const edges = new Map<number, number>();
    const key = (a: number, b: number): number => a * head.vertexCount + b;
    for (let t = 0; t < triangles.length; t += 3) {
      for (let k = 0; k < 3; k++) {
        const edge = key(triangles[t + k], triangles[t + ((k + 1) % 3)]);
        edges.set(edge, (edges.get(edge) ?? 0) + 1);
      }
    }
    expect(Math.max(...edges.values())).toBe(1);
    const open = [...edges.keys()]
      .map((edge) => [Math.floor(edge / head.vertexCount), edge % head.vertexCount])
      .filter(([a, b]) => !edges.has(key(b, a)));
    expect(open.length).toBe(72);
    for (const [a] of open) expect(head.templateVertices[a * 3 + 1]).toBeLessThan(-0.16);
  });

  it('has no degenerate triangle, at rest or in any expression', () => {
    const shapes = [head.templateVertices, ...head.expressionNames.map((name) => posed({ [name]: 1 }))];
    shapes.forEach((points, shape) => {
      let smallest = Infinity;
      for (let t = 0; t < triangles.length; t += 3) {
        const [a, b, c] = [0, 1, 2].map((k) => at(points, triangles[t + k]));
        const u = b.map((value, k) => value - a[k]);
        const v = c.map((value, k) => value - a[k]);
        const area = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
        smallest = Math.min(smallest, area);
      }
      expect(smallest, shape === 0 ? 'template' : head.expressionNames[shape - 1]).toBeGreaterThan(1e-10); // m²
    });
  });

  it('faces outwards: encloses a head’s volume, and so does each closed part', () => {
    const volume = (...regions: RegionName[]): number => {
      let sum = 0;
      for (let t = 0; t < head.triangleCount; t++) {
        if (regions.length > 0 && !regions.includes(head.regionNames[head.triangleRegions[t]])) continue;
        const [a, b, c] = [0, 1, 2].map((k) => at(head.templateVertices, triangles[t * 3 + k]));
        sum +=
          (a[0] * (b[1] * c[2] - b[2] * c[1]) +
            a[1] * (b[2] * c[0] - b[0] * c[2]) +
            a[2] * (b[0] * c[1] - b[1] * c[0])) /
          6;
      }
      return sum;
    };
    expect(volume()).toBeGreaterThan(0.003); // litres / 1000
    expect(volume()).toBeLessThan(0.0065);
    for (const part of ['leftEyeball', 'rightEyeball', 'upperTeeth', 'lowerTeeth', 'tongue', 'gums'] as const) {
      expect(volume(part), part).toBeGreaterThan(1e-6);
    }
  });

  it('is mirror-symmetric, and left and right expressions mirror each other', () => {
    const partner = mirrored(head.templateVertices);
    expect(partner.filter((vertex) => vertex < 0).length).toBe(0);
    const worst = (a: Float32Array, b: Float32Array): number => {
      let most = 0;
      partner.forEach((other, v) => {
        const [x, y, z] = at(b, other);
        most = Math.max(most, distance(at(a, v), [-x, y, z]));
      });
      return most;
    };
    for (const name of head.expressionNames) {
      const opposite = name.replace(/(Left|Right)$/, (side) => (side === 'Left' ? 'Right' : 'Left'));
      expect(worst(posed({ [name]: 1 }), posed({ [opposite]: 1 })), name).toBeLessThan(5e-5);
    }
    head.identityNames.forEach((name, i) => {
      const shape = identityVertices(
        head,
        Array.from({ length: i + 1 }, (_, k) => (k === i ? 2 : 0)),
      );
      expect(worst(shape, shape), name).toBeLessThan(5e-5);
    });
  });
});

describe('built-in head: atlas', () => {
  it('lies in 0…1 and no two triangles cover one texel', () => {
    expect(Math.min(...head.uvs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...head.uvs)).toBeLessThanOrEqual(1);
    const size = 1500;
    const owner = new Int32Array(size * size).fill(-1);
    const regionClashes = new Map<string, number>();
    let covered = 0;
    for (let t = 0; t < head.triangleCount; t++) {
      const [a, b, c] = [0, 1, 2].map((k) => {
        const uv = head.uvTriangles[t * 3 + k];
        return [head.uvs[uv * 2] * size, head.uvs[uv * 2 + 1] * size];
      });
      const area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
      const [left, right] = [Math.floor(Math.min(a[0], b[0], c[0])), Math.ceil(Math.max(a[0], b[0], c[0]))];
      const [top, bottom] = [Math.floor(Math.min(a[1], b[1], c[1])), Math.ceil(Math.max(a[1], b[1], c[1]))];
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const [px, py] = [x + 0.5, y + 0.5];
          const wa = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area;
          const wb = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area;
          if (wa < 1e-4 || wb < 1e-4 || 1 - wa - wb < 1e-4) continue;
          const texel = y * size + x;
          covered++;
          if (owner[texel] >= 0) {
            const pair = [t, owner[texel]].map((index) => head.regionNames[head.triangleRegions[index]]).join(' on ');
            regionClashes.set(pair, (regionClashes.get(pair) ?? 0) + 1);
          }
          owner[texel] = t;
        }
      }
    }
    expect([...regionClashes]).toEqual([]);
    expect(covered / (size * size)).toBeGreaterThan(0.5);
  });
});

describe('built-in head: landmarks, joints, expressions', () => {
  it('carries the canonical points exactly, but for the lips, which it closes', () => {
    const moved = new Set<number>([...UPPER_LIP.slice(0, 3).flat(), ...LOWER_LIP.slice(0, 3).flat()]);
    const origin = [0, 0.01, -0.035];
    for (let landmark = 0; landmark < 468; landmark++) {
      const own = at(head.templateVertices, landmarkVertex(landmark));
      const canonical = at(face.positions, landmark).map((value, k) => value - origin[k]) as Point;
      expect(distance(own, canonical), `landmark ${landmark}`).toBeLessThan(moved.has(landmark) ? 0.0035 : 1e-6);
    }
  });

  it('has joints where they belong, and weights that sum to one', () => {
    expect(head.joints.map((joint) => joint.name)).toEqual([...JOINT_NAMES]);
    const joints = jointPositions(head, head.templateVertices);
    const eyes = [verticesOf('leftEyeball'), verticesOf('rightEyeball')];
    eyes.forEach((vertices, i) => {
      const joint = at(joints, 3 + i);
      for (const vertex of vertices) expect(distance(at(head.templateVertices, vertex), joint)).toBeCloseTo(0.012, 3);
    });
    expect(at(joints, 2)[1]).toBeCloseTo(-0.007, 4);
    for (let vertex = 0; vertex < head.vertexCount; vertex++) {
      const weights = head.skinningWeights.subarray(vertex * 5, vertex * 5 + 5);
      expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 5);
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
    }
  });

  it.each(['Left', 'Right'])('eyeBlink%s closes its lids on the eyeball and leaves the other eye alone', (side) => {
    const partner = mirrorPoints(face);
    const own = (point: number): number => landmarkVertex(side === 'Right' ? point : partner[point]);
    const blinking = posed({ [`eyeBlink${side}`]: 1 });
    UPPER_LID.forEach((upper, i) => {
      const gap = distance(at(blinking, own(upper)), at(blinking, own(LOWER_LID[i])));
      expect(gap, `lid pair ${upper}`).toBeLessThan(0.001);
    });
    const other = verticesOf(side === 'Right' ? 'leftEyelids' : 'rightEyelids');
    for (const vertex of other)
      expect(distance(at(blinking, vertex), at(head.templateVertices, vertex))).toBeLessThan(5e-4);
    // On the way the lids never sink into the eyeball.
    const center = at(jointPositions(head, head.templateVertices), side === 'Left' ? 3 : 4);
    for (const weight of [0, 0.25, 0.5, 0.75, 1]) {
      const points = posed({ [`eyeBlink${side}`]: weight });
      for (const point of [...UPPER_LID, ...LOWER_LID]) {
        expect(distance(at(points, own(point)), center), `lid ${point} at ${weight}`).toBeGreaterThan(0.01205);
      }
    }
  });

  it('jawOpen opens the mouth by at least 2.5 cm, and the jaw joint does the same', () => {
    const gap = (points: Float32Array): number =>
      distance(at(points, landmarkVertex(13)), at(points, landmarkVertex(14)));
    expect(gap(head.templateVertices)).toBeLessThan(0.0005);
    expect(gap(posed({ jawOpen: 1 }))).toBeGreaterThan(0.025);
    expect(gap(posed({}, { jawPose: new Float32Array([0.33, 0, 0]) }))).toBeGreaterThan(0.025);
    expect(gap(posed({ jawOpen: 1, mouthClose: 1 }))).toBeLessThan(0.002);
    const teeth = [...verticesOf('lowerTeeth')];
    const open = posed({ jawOpen: 1 });
    const drop = teeth.map((vertex) => head.templateVertices[vertex * 3 + 1] - open[vertex * 3 + 1]);
    expect(Math.min(...drop)).toBeGreaterThan(0.008);
    for (const vertex of verticesOf('upperTeeth')) {
      expect(distance(at(open, vertex), at(head.templateVertices, vertex))).toBeLessThan(1e-6);
    }
  });

  it('smiles up and back, puckers narrow and forward', () => {
    const corners = [61, 291].map(landmarkVertex);
    const smile = posed({ mouthSmileLeft: 1, mouthSmileRight: 1 });
    const pucker = posed({ mouthPucker: 1 });
    for (const corner of corners) {
      const rest = at(head.templateVertices, corner);
      expect(at(smile, corner)[1] - rest[1]).toBeGreaterThan(0.004);
      expect(Math.abs(at(smile, corner)[0]) - Math.abs(rest[0])).toBeGreaterThan(0.004);
      expect(at(pucker, corner)[2] - rest[2]).toBeGreaterThan(0.006);
      expect(Math.abs(at(pucker, corner)[0])).toBeLessThan(0.7 * Math.abs(rest[0]));
    }
  });

  it('turns the eyes by expression the way it turns them by joint', () => {
    const byExpression = posed({ eyeLookOutLeft: 1 });
    const byJoint = posed({}, { leftEyePose: new Float32Array([0, 0.55, 0]) });
    for (const vertex of verticesOf('leftEyeball')) {
      expect(distance(at(byExpression, vertex), at(byJoint, vertex))).toBeLessThan(2e-4);
    }
  });

  it('keeps teeth, gums and tongue inside the skin at rest', () => {
    const front = Math.max(
      ...[...verticesOf('upperTeeth', 'lowerTeeth', 'gums', 'tongue')].map((v) => head.templateVertices[v * 3 + 2]),
    );
    expect(front).toBeLessThan(head.templateVertices[landmarkVertex(13) * 3 + 2] - 0.003);
  });
});
