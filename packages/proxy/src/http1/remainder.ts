import { hasLineFeed } from "./octets.ts";

const SMALLEST = 1024;

/** Bytes of a connection that arrived and could not be used yet. Exists only while there are any. */
export class Remainder {
  bytes: Buffer;
  start = 0;
  end = 0;
  /** A line has ended in them. */
  hasLine = false;

  constructor(source: Buffer, start: number, end: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SMALLEST, end - start));
    this.append(source, start, end);
  }

  /** True when the new bytes end a line. */
  append(source: Buffer, start: number, end: number): boolean {
    const needed = this.end - this.start + end - start;
    if (this.end + end - start > this.bytes.length) this.#makeRoom(needed);
    source.copy(this.bytes, this.end, start, end);
    this.end += end - start;
    const endsLine = hasLineFeed(source, start, end);
    if (endsLine) this.hasLine = true;
    return endsLine;
  }

  #makeRoom(needed: number): void {
    const target = needed * 2 <= this.bytes.length ? this.bytes : Buffer.allocUnsafeSlow(needed * 2);
    this.bytes.copy(target, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    this.bytes = target;
  }
}
