/** Just enough of FlatBuffers to look into a TensorFlow Lite file: tables, vectors and offsets. */
export class Flatbuffer {
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Position of the root table. */
  get root(): number {
    return this.follow(0);
  }

  /** The position that the offset stored at `at` leads to. */
  follow(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  /** Where a table stores a field; 0 when the field is absent. */
  field(table: number, index: number): number {
    const vtable = table - this.view.getInt32(table, true);
    const slot = 4 + 2 * index;
    const offset = slot < this.view.getUint16(vtable, true) ? this.view.getUint16(vtable + slot, true) : 0;
    return offset === 0 ? 0 : table + offset;
  }

  /** First element and length of the vector in a table's field; length 0 when absent. */
  vector(table: number, index: number): { start: number; length: number } {
    const at = this.field(table, index);
    if (at === 0) return { start: 0, length: 0 };
    const vector = this.follow(at);
    return { start: vector + 4, length: this.view.getUint32(vector, true) };
  }

  /** Positions of the tables in a table's field. */
  tables(table: number, index: number): number[] {
    const { start, length } = this.vector(table, index);
    return Array.from({ length }, (_, i) => this.follow(start + 4 * i));
  }
}
