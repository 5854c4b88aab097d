const BYTES = 8 * 1024;
const TABLE = 2 * 1024;

/**
 * Memory for received heads. Many heads share a block of bytes and a block of the offset table, which
 * live as long as any of them: a typed array of its own costs a head more than its parsing does. Blocks
 * are small, so that a long-lived stream pins little.
 */
export class HeadArena {
  /** Where {@link store} put the bytes. */
  bytes: Buffer = Buffer.allocUnsafeSlow(BYTES);
  table: Int32Array = new Int32Array(TABLE);
  /** First free entry of the table. */
  tableAt = 0;
  #bytesAt = 0;

  /** Makes sure that `entries` are free in the table from `tableAt` on. */
  reserve(entries: number): void {
    if (this.tableAt + entries <= this.table.length) return;
    this.table = new Int32Array(Math.max(TABLE, 2 * entries));
    this.tableAt = 0;
  }

  /** Copies a head; returns its offset in {@link bytes}. */
  store(source: Buffer, start: number, end: number): number {
    const at = this.room(end - start);
    source.copy(this.bytes, at, start, end);
    return at;
  }

  /** As {@link store}, for bytes that the caller writes. A large head gets a block of its own. */
  room(length: number): number {
    if (this.#bytesAt + length > this.bytes.length) {
      this.bytes = Buffer.allocUnsafeSlow(Math.max(BYTES, length));
      this.#bytesAt = 0;
    }
    const at = this.#bytesAt;
    this.#bytesAt += length;
    return at;
  }
}
