import type { Folder } from '../folder.ts';
import { HeadModelError } from '../head-model.ts';
import { parseObj, parseObjPositions, type ObjMesh } from '../obj.ts';
import { ICT_EXPRESSION_SHAPES, ICT_IDENTITY_SHAPES, ICT_POLYGON_COUNT, ICT_VERTEX_COUNT } from './layout.ts';

const NEUTRAL_FILE = 'generic_neutral_mesh.obj';
const PACKED_TABLE = 'ict_basis_i16.json';
const PACKED_DATA = 'ict_basis_i16.bin';

/** What the folder holds, in the files' own units and vertex order. */
export interface IctFiles {
  readonly neutral: ObjMesh;
  /** Vertex displacements, `ICT_VERTEX_COUNT`×3, of every shape in `ICT_EXPRESSION_SHAPES` and `ICT_IDENTITY_SHAPES`. */
  readonly shapes: ReadonlyMap<string, Float32Array>;
}

/**
 * Reads ICT-FaceKit Light from its original folder (`generic_neutral_mesh.obj`, one OBJ per shape; a subfolder such as
 * `FaceXModel/` is found by itself) or, where `ict_basis_i16.{json,bin}` lies in the folder, from that packed form of
 * the shapes. Throws `HeadModelError` with the list of what is missing or of another kind.
 */
export async function readIctFiles(folder: Folder): Promise<IctFiles> {
  const pathOf = new Map<string, string>();
  for (const path of (await folder.listFiles()).toSorted((a, b) => b.length - a.length)) {
    pathOf.set(path.slice(path.lastIndexOf('/') + 1), path); // of two files of one name the shorter path wins
  }
  const neutralPath = pathOf.get(NEUTRAL_FILE);
  if (!neutralPath) {
    throw new HeadModelError(
      `${folder.name} is not an ICT-FaceKit Light folder: ${NEUTRAL_FILE} is missing. ` +
        'Give the folder FaceXModel of github.com/ICT-VGL/ICT-FaceKit, or one that contains it.',
    );
  }
  const neutral = parseObj(neutralPath, await folder.readFile(neutralPath));
  if (neutral.vertices.length !== ICT_VERTEX_COUNT * 3 || neutral.polygonStarts.length !== ICT_POLYGON_COUNT + 1) {
    throw new HeadModelError(
      `${neutralPath} has ${neutral.vertices.length / 3} vertices and ${neutral.polygonStarts.length - 1} polygons; ` +
        `ICT-FaceKit Light has ${ICT_VERTEX_COUNT} and ${ICT_POLYGON_COUNT}. Is it another model, or cut off?`,
    );
  }
  const shapes = pathOf.has(PACKED_TABLE)
    ? await readPackedShapes(folder, pathOf)
    : await readShapeFiles(folder, pathOf, neutral);
  return { neutral, shapes };
}

async function readShapeFiles(
  folder: Folder,
  pathOf: ReadonlyMap<string, string>,
  neutral: ObjMesh,
): Promise<Map<string, Float32Array>> {
  const names = [...ICT_EXPRESSION_SHAPES, ...ICT_IDENTITY_SHAPES];
  throwIfMissing(
    folder,
    names.filter((name) => !pathOf.has(`${name}.obj`)).map((name) => `${name}.obj`),
  );
  const shapes = new Map<string, Float32Array>();
  for (const name of names) {
    const path = pathOf.get(`${name}.obj`)!;
    const displacement = parseObjPositions(path, await folder.readFile(path), ICT_VERTEX_COUNT);
    for (let i = 0; i < displacement.length; i++) displacement[i] -= neutral.vertices[i];
    shapes.set(name, displacement);
  }
  return shapes;
}

interface PackedTable {
  readonly nverts: number;
  readonly shapes: readonly { readonly name: string; readonly scale: number }[];
}

/** Per shape, `nverts`×3 little-endian int16; value × the shape's scale = displacement. */
async function readPackedShapes(
  folder: Folder,
  pathOf: ReadonlyMap<string, string>,
): Promise<Map<string, Float32Array>> {
  const tablePath = pathOf.get(PACKED_TABLE)!;
  const table = parseTable(tablePath, await folder.readFile(tablePath));
  throwIfMissing(folder, pathOf.has(PACKED_DATA) ? [] : [PACKED_DATA]);
  const bytes = await folder.readFile(pathOf.get(PACKED_DATA)!);
  const shapeFloats = ICT_VERTEX_COUNT * 3;
  const expected = table.shapes.length * shapeFloats * 2;
  if (table.nverts !== ICT_VERTEX_COUNT || bytes.length !== expected) {
    throw new HeadModelError(
      `${PACKED_DATA} has ${bytes.length} bytes where ${PACKED_TABLE} calls for ${expected} (${table.nverts} vertices); fetch both again.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const indexOf = new Map(table.shapes.map((shape, index) => [shape.name, index]));
  const names = [...ICT_EXPRESSION_SHAPES, ...ICT_IDENTITY_SHAPES];
  throwIfMissing(
    folder,
    names.filter((name) => !indexOf.has(name)).map((name) => `shape ${name} in ${PACKED_TABLE}`),
  );
  return new Map(
    names.map((name) => {
      const index = indexOf.get(name)!;
      const { scale } = table.shapes[index];
      const start = index * shapeFloats * 2;
      return [name, Float32Array.from({ length: shapeFloats }, (_, i) => view.getInt16(start + i * 2, true) * scale)];
    }),
  );
}

function parseTable(path: string, bytes: Uint8Array): PackedTable {
  try {
    const table = JSON.parse(new TextDecoder().decode(bytes)) as Partial<PackedTable>;
    if (
      typeof table.nverts === 'number' &&
      table.shapes?.every((shape) => typeof shape.name === 'string' && Number.isFinite(shape.scale))
    ) {
      return table as PackedTable;
    }
  } catch {
    // reported below with the way out
  }
  throw new HeadModelError(
    `${path} cannot be read: expected JSON with \`nverts\` and \`shapes\` of name and scale. Fetch it again.`,
  );
}

function throwIfMissing(folder: Folder, missing: readonly string[]): void {
  if (missing.length === 0) return;
  const shown = missing.slice(0, 12).join(', ') + (missing.length > 12 ? ` and ${missing.length - 12} more` : '');
  throw new HeadModelError(
    `${folder.name} is incomplete: ${missing.length} missing (${shown}). Fetch ICT-FaceKit Light's FaceXModel folder again.`,
  );
}
