/** Bytes that are no well-formed module. Never leaves this folder. */
export class MalformedModule extends Error {}

/** A cursor over a module's bytes. Every read is bounded; what lies outside is a {@link MalformedModule}. */
export class BinaryReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) throw new MalformedModule(`ends in the middle of something at byte ${this.at}`);
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  u32(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new MalformedModule(`a number of more than 32 bits ends at byte ${this.at}`);
  }

  /** Skips a LEB128 number of any width. */
  skipLeb(): void {
    for (let i = 0; i < 10; i++) if (this.byte() < 0x80) return;
    throw new MalformedModule(`an endless number ends at byte ${this.at}`);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new MalformedModule(`${count} bytes at byte ${this.at} reach past the end`);
    this.at += count;
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString("utf8");
  }
}
