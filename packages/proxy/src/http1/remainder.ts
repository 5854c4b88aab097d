const SMALLEST = 1024;

/** Bytes of a connection that arrived and could not be used yet. Exists only while there are any. */
export class Remainder {
  bytes: Buffer;
  start = 0;
  end = 0;

  constructor(source: Buffer, start: number, end: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SMALLEST, end - start));
    this.append(source, start, end);
  }

  append(source: Buffer, start: number, end: number): void {
    const needed = this.end - this.start + end - start;
    if (this.end + end - start > this.bytes.length) this.#makeRoom(needed);
    source.copy(this.bytes, this.end, start, end);
    this.end += end - start;
  }

  #makeRoom(needed: number): void {
    const target = needed * 2 <= this.bytes.length ? this.bytes : Buffer.allocUnsafeSlow(needed * 2);
    this.bytes.copy(target, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    this.bytes = target;
  }
}
