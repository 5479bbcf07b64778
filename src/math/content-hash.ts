/**
 * 64 bits over the bytes of some arrays, as 16 hex digits: FNV-1a in two lanes. Against accidental collisions (cache
 * keys), not against an adversary.
 */
export function contentHash(...arrays: readonly ArrayBufferView[]): string {
  return [0x811c9dc5, 0x01234567].map((seed) => arrays.reduce(fnv1a, seed).toString(16).padStart(8, '0')).join('');
}

function fnv1a(hash: number, array: ArrayBufferView): number {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let state = hash;
  for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 0;
}
