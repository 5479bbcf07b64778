import { beforeAll, describe, expect, it } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { openFolder } from '../../platform/node/folder.ts';
import { rasterizeOverlap } from '../atlas/rasterize-overlap.ts';
import type { Folder } from '../folder.ts';
import { ARKIT_EXPRESSION_NAMES, HeadModelError, type HeadModel } from '../head-model.ts';
import { parseObj, parseObjPositions } from '../obj.ts';
import { neutralPose } from '../pose.ts';
import { jointPositions, poseVertices } from '../pose-vertices.ts';
import { readIctTemplate, type IctTemplate } from './ict-head.ts';
import { ICT_EXPRESSION_SHAPES, ICT_IDENTITY_SHAPES, ICT_VERTEX_COUNT } from './layout.ts';
import { readIctFiles } from './read-ict.ts';

const path = sharedPath('data/heads/ict-facekit');
const needsData = '(needs ../shared/data/heads/ict-facekit)';

const asFolder = (name: string, files: Record<string, Uint8Array | string>): Folder => ({
  name,
  listFiles: () => Promise.resolve(Object.keys(files)),
  readFile: (file) =>
    Promise.resolve(typeof files[file] === 'string' ? new TextEncoder().encode(files[file]) : files[file]),
});

describe('parseObj', () => {
  const text = '# c\nv 1 2.5 -3\nv 0 1e-2 0\nv 4 5 6\nvt 0.5 0.25\nf 1/1 2/1 3/1\nf -1 -2 -3\n';
  it('reads polygons, and positions alone give the same vertices', () => {
    const mesh = parseObj('a.obj', new TextEncoder().encode(text));
    expect([...mesh.cornerVertices]).toEqual([0, 1, 2, 2, 1, 0]);
    expect([...mesh.polygonStarts]).toEqual([0, 3, 6]);
    expect(parseObjPositions('a.obj', new TextEncoder().encode(text), 3)).toEqual(mesh.vertices);
  });
  it('refuses text that is no mesh and other vertex counts', () => {
    expect(() => parseObj('a.obj', new TextEncoder().encode('hello'))).toThrow(HeadModelError);
    expect(() => parseObjPositions('a.obj', new TextEncoder().encode(text), 4)).toThrow(/3 readable vertices where 4/);
    expect(() => parseObjPositions('a.obj', new TextEncoder().encode('v 1 x 3\n'), 1)).toThrow(HeadModelError);
  });
});

describe('readIctFiles', () => {
  it('says that a folder is no ICT folder', async () => {
    await expect(readIctFiles(asFolder('somewhere', { 'a.txt': 'x' }))).rejects.toThrow(
      /generic_neutral_mesh\.obj is missing/,
    );
    await expect(
      readIctFiles(asFolder('somewhere', { 'x/generic_neutral_mesh.obj': 'v 0 0 0\nf 1 1 1\n' })),
    ).rejects.toThrow(/1 vertices and 1 polygons/);
    await expect(openFolder('/no/such/folder')).rejects.toThrow(/does not exist/);
  });

  it.skipIf(!path)(`lists the OBJ files that are missing ${needsData}`, async () => {
    await expect(readIctFiles(await openFolder(`${path}/FaceXModel`))).rejects.toThrow(/152 missing .*browDown_L\.obj/);
  });

  it.skipIf(!path)(`reads the original OBJ files like the packed form ${needsData}`, async () => {
    const folder = await openFolder(path!);
    const packed = await readIctFiles(folder);
    const given = ['eyeBlink_L', 'identity000', 'jawOpen'];
    // The other shapes are not in the test data: the neutral mesh stands in, whose displacement is zero.
    const asObj: Folder = {
      name: 'original',
      listFiles: () =>
        Promise.resolve(
          ['generic_neutral_mesh', ...ICT_EXPRESSION_SHAPES, ...ICT_IDENTITY_SHAPES].map(
            (name) => `FaceXModel/${name}.obj`,
          ),
        ),
      readFile: (file) =>
        folder.readFile(
          given.some((name) => file.endsWith(`${name}.obj`)) ? file : 'FaceXModel/generic_neutral_mesh.obj',
        ),
    };
    const original = await readIctFiles(asObj);
    for (const name of given) {
      const [a, b] = [original.shapes.get(name)!, packed.shapes.get(name)!];
      let worst = 0;
      for (let i = 0; i < ICT_VERTEX_COUNT * 3; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
      expect(worst).toBeLessThan(2e-4); // half a step of the packing
      expect(Math.max(...a.subarray(0, 9000))).toBeGreaterThan(0.1);
    }
    expect(original.shapes.get('browDown_L')!.every((value) => value === 0)).toBe(true);
  });

  it.skipIf(!path)(`refuses a packed form that is cut off ${needsData}`, async () => {
    const folder = await openFolder(path!);
    const cut: Folder = {
      ...folder,
      readFile: async (file) => (await folder.readFile(file)).subarray(0, file.endsWith('.bin') ? 1000 : undefined),
    };
    await expect(readIctFiles(cut)).rejects.toThrow(/has 1000 bytes/);
  });
});

describe.skipIf(!path)(`ICT head ${needsData}`, () => {
  let ict: IctTemplate;
  let head: HeadModel;
  beforeAll(async () => {
    ict = await readIctTemplate(await openFolder(path!));
    head = {
      ...ict.template,
      landmarks: { triangleIndices: new Uint32Array(468), barycentrics: new Float32Array(468 * 3) },
    };
  });
  const extent = (vertices: Float32Array, axis: number): [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < vertices.length; i += 3)
      [low, high] = [Math.min(low, vertices[i]), Math.max(high, vertices[i])];
    return [low, high];
  };
  const verticesOf = (region: string): Set<number> => {
    const index = head.regionNames.indexOf(region as HeadModel['regionNames'][number]);
    const found = new Set<number>();
    head.triangleRegions.forEach(
      (value, t) => value === index && head.triangles.subarray(t * 3, t * 3 + 3).forEach((v) => found.add(v)),
    );
    return found;
  };

  it('is a head of human size in metres with every vertex in use', () => {
    const [bottom, top] = extent(head.templateVertices, 1);
    expect(top).toBeCloseTo(0.138, 2);
    expect(top - bottom).toBeLessThan(0.35);
    expect(new Set(head.triangles).size).toBe(head.vertexCount);
    expect(head.identityBasis.length).toBe(100 * head.vertexCount * 3);
    expect(head.triangles.length).toBe(head.uvTriangles.length);
    expect([...verticesOf('leftEar')].every((v) => head.templateVertices[v * 3] > 0)).toBe(true);
  });

  it('has ARKit names but tongueOut, then its own', () => {
    expect(head.expressionNames.slice(0, 51)).toEqual(ARKIT_EXPRESSION_NAMES.filter((name) => name !== 'tongueOut'));
    expect(head.expressionNames.slice(51)).toEqual(['cheekRaiserLeft', 'cheekRaiserRight']);
  });

  it('turns eyeballs by their joints alone, about their centres', () => {
    const eye = verticesOf('leftEyeball');
    for (const name of ['eyeLookUpLeft', 'eyeLookInLeft']) {
      const shape = head.expressionBasis.subarray(head.expressionNames.indexOf(name) * head.vertexCount * 3);
      expect([...eye].every((v) => shape[v * 3] === 0 && shape[v * 3 + 1] === 0 && shape[v * 3 + 2] === 0)).toBe(true);
    }
    const joints = jointPositions(head, head.templateVertices);
    const pose = neutralPose(head.expressionNames.length);
    pose.leftEyePose[1] = 0.4;
    const posed = poseVertices(head, [], pose);
    for (let v = 0; v < head.vertexCount; v++) {
      const moved = [0, 1, 2].some(
        (axis) => Math.abs(posed[v * 3 + axis] - head.templateVertices[v * 3 + axis]) > 1e-6,
      );
      if (moved) expect(eye.has(v)).toBe(true);
    }
    // On a sphere round the joint to within the bulge of the cornea.
    for (const v of eye) {
      const distance = Math.hypot(...[0, 1, 2].map((axis) => head.templateVertices[v * 3 + axis] - joints[9 + axis]));
      expect(distance).toBeGreaterThan(0.0145);
      expect(distance).toBeLessThan(0.0185);
    }
  });

  it('opens the jaw by its joint much as by jawOpen, and leaves the skull and upper teeth alone', () => {
    const byShape = neutralPose(head.expressionNames.length);
    byShape.expressionCoefficients[head.expressionNames.indexOf('jawOpen')] = 1;
    const byJoint = neutralPose(head.expressionNames.length);
    byJoint.jawPose[0] = (25.33 * Math.PI) / 180;
    const [a, b] = [poseVertices(head, [], byShape), poseVertices(head, [], byJoint)];
    const distance = (v: number): number =>
      Math.hypot(a[v * 3] - b[v * 3], a[v * 3 + 1] - b[v * 3 + 1], a[v * 3 + 2] - b[v * 3 + 2]);
    for (const v of verticesOf('lowerTeeth')) expect(distance(v)).toBeLessThan(0.001);
    for (const v of [...verticesOf('scalp'), ...verticesOf('upperTeeth')]) {
      expect(Math.abs(b[v * 3 + 1] - head.templateVertices[v * 3 + 1])).toBeLessThan(1e-4);
    }
  });

  it('follows the neck joint with the head, and not with the neck’s foot', () => {
    const sums = Float32Array.from({ length: head.vertexCount }, (_, v) =>
      head.skinningWeights.subarray(v * 5, v * 5 + 5).reduce((sum, w) => sum + w, 0),
    );
    expect(Math.min(...sums)).toBeCloseTo(1, 6);
    expect(Math.max(...sums)).toBeCloseTo(1, 6);
    const lowest = [...head.templateVertices.keys()]
      .filter((i) => i % 3 === 1)
      .reduce((a, b) => (head.templateVertices[b] < head.templateVertices[a] ? b : a));
    expect(head.skinningWeights[Math.floor(lowest / 3) * 5]).toBeGreaterThan(0.9);
    for (const v of verticesOf('scalp')) expect(head.skinningWeights[v * 5]).toBeLessThan(0.35);
  });

  it('has one atlas without overlaps', () => {
    expect(Math.min(...head.uvs)).toBeGreaterThan(0);
    expect(Math.max(...head.uvs)).toBeLessThan(1);
    const { covered, overlapping } = rasterizeOverlap(head, 1024);
    expect(overlapping).toBe(0);
    expect(covered / 1024 ** 2).toBeGreaterThan(0.5);
    expect(rasterizeOverlap(head, 512, 1 / 600).overlapping).toBe(0);
  });

  it('marks every region', () => {
    for (const name of head.regionNames) expect(verticesOf(name).size, name).toBeGreaterThan(20);
  });
});
