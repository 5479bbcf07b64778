import { contentHash } from '../../math/content-hash.ts';
import type { HeadModel, LandmarkEmbedding } from '../head-model.ts';
import type { CanonicalFace } from './canonical-face.ts';
import type { LandmarkAnchor } from './contours.ts';
import { embedLandmarks } from './embed-landmarks.ts';
import { alignToNetwork } from './network-offsets.ts';

/** Keeps small results between runs. Both may fail quietly: a cache is never needed for a right result. */
export interface ByteCache {
  get(key: string): Promise<Uint8Array | null>;
  set(key: string, bytes: Uint8Array): Promise<void>;
}

/** Raise when `embedLandmarks` gives other results for the same input. */
const EMBEDDING_VERSION = 3;

/** `embedLandmarks`, aligned to the networks, through a cache, keyed by everything that goes in. A damaged entry is ignored and written anew. */
export async function embedLandmarksCached(
  head: Omit<HeadModel, 'landmarks'>,
  canonicalFace: CanonicalFace,
  anchors: readonly LandmarkAnchor[],
  cache?: ByteCache,
): Promise<LandmarkEmbedding> {
  const embed = (): LandmarkEmbedding => alignToNetwork(head, embedLandmarks(head, canonicalFace, anchors));
  if (!cache) return embed();
  const key = `landmarks-${embeddingKey(head, canonicalFace, anchors)}.bin`;
  const stored = await cache.get(key);
  const found = stored && decodeEmbedding(stored, head.triangleCount);
  if (found) return found;
  const embedding = embed();
  await cache.set(key, encodeEmbedding(embedding));
  return embedding;
}

/** [L uint32, L triangle indices uint32, L×3 barycentrics float32], little endian. */
export function encodeEmbedding({ triangleIndices, barycentrics }: LandmarkEmbedding): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + triangleIndices.length * 16));
  view.setUint32(0, triangleIndices.length, true);
  triangleIndices.forEach((triangle, i) => view.setUint32(4 + i * 4, triangle, true));
  barycentrics.forEach((weight, i) => view.setFloat32(4 + triangleIndices.length * 4 + i * 4, weight, true));
  return new Uint8Array(view.buffer);
}

/** Null when the bytes are no embedding on a mesh of `triangleCount` triangles. */
export function decodeEmbedding(bytes: Uint8Array, triangleCount: number): LandmarkEmbedding | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (count === 0 || bytes.length !== 4 + count * 16) return null;
  const triangleIndices = Uint32Array.from({ length: count }, (_, i) => view.getUint32(4 + i * 4, true));
  const barycentrics = Float32Array.from({ length: count * 3 }, (_, i) => view.getFloat32(4 + count * 4 + i * 4, true));
  const isSound =
    triangleIndices.every((triangle) => triangle < triangleCount) &&
    triangleIndices.every(
      (_, i) => Math.abs(barycentrics[i * 3] + barycentrics[i * 3 + 1] + barycentrics[i * 3 + 2] - 1) < 1e-3,
    ) &&
    barycentrics.every((weight) => weight > -1e-3);
  return isSound ? { triangleIndices, barycentrics } : null;
}

function embeddingKey(
  { templateVertices, triangles, triangleRegions }: Omit<HeadModel, 'landmarks'>,
  { positions, triangles: canonicalTriangles }: CanonicalFace,
  anchors: readonly LandmarkAnchor[],
): string {
  const anchorNumbers = Float32Array.from(
    anchors.flatMap(({ landmark, vertex, weight }) => [landmark, vertex, weight]),
  );
  const version = Uint32Array.of(EMBEDDING_VERSION);
  return contentHash(
    version,
    templateVertices,
    triangles,
    triangleRegions,
    positions,
    canonicalTriangles,
    anchorNumbers,
  );
}
