import { formatValue } from "./number-text.ts";

const FIRST_SIZE = 16_384;
const LARGEST_INT32 = 0x7fffffff;

/** Collects bytes. What {@link take} returned is never touched again: a socket may still read it. */
export class ByteWriter {
  #bytes = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends a few bytes; faster than {@link bytes} below about thirty. */
  few(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    const target = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < bytes.length; i++) target[at++] = bytes[i] as number;
    this.#length = at;
  }

  /** Appends a byte string. */
  latin1(text: string): void {
    this.#ensure(text.length);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
  }

  /** Appends what already stands at `start` up to `end`. */
  again(start: number, end: number): void {
    this.#ensure(end - start);
    this.#bytes.copyWithin(this.#length, start, end);
    this.#length += end - start;
  }

  /** Appends ASCII. */
  ascii(text: string): void {
    this.#ensure(text.length);
    const target = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) target[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** Appends a value and a line feed. */
  valueLine(value: number): void {
    this.#ensure(32);
    if (value >= 0 && value <= LARGEST_INT32 && Number.isInteger(value)) this.#digits(value);
    else this.ascii(formatValue(value));
    this.#bytes[this.#length++] = 0x0a;
  }

  /** Hands over what was written and begins anew, with room for `expected` bytes. */
  take(expected = FIRST_SIZE): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(expected);
    this.#length = 0;
    return taken;
  }

  #digits(value: number): void {
    let digits = 1;
    for (let ten = 10; ten <= value; ten *= 10) digits++;
    const target = this.#bytes;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const next = (rest / 10) | 0;
      target[at] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.#length += digits;
  }

  #ensure(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
