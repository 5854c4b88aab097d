import { Fault, type Http1Fault } from "./fault.ts";
import { CR, EQUALS, HEX, LF, SEMICOLON, TOKEN } from "./octets.ts";

/** Digits of a chunk size, leading zeros included. */
const MAX_DIGITS = 16;
/** Of one chunk. Extensions, `;name` or `;name=token`, mean nothing to a proxy and are dropped (RFC 9112 §7.1.1). */
const MAX_EXTENSION_BYTES = 256;
/** Largest size whose next digit cannot pass 2^53 - 1. */
const LARGEST_BEFORE_DIGIT = Math.floor(Number.MAX_SAFE_INTEGER / 16) - 1;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const LAST = 6;
type State =
  | typeof SIZE
  | typeof EXTENSION
  | typeof SIZE_LF
  | typeof DATA
  | typeof DATA_CR
  | typeof DATA_LF
  | typeof LAST;

/**
 * Reads the chunks of one body (RFC 9112 §7.1), in any pieces. Nothing is tolerated in a size but
 * hexadecimal digits: each leniency here has let someone smuggle a request.
 */
export class ChunkReader {
  fault: Http1Fault | null = null;
  /** The data that the last {@link next} found; empty when there was none. */
  dataStart = 0;
  dataEnd = 0;
  #state: State = SIZE;
  #size = 0;
  #digits = 0;
  #extension = 0;
  /** A name or value must begin; a value was begun. */
  #partBegins = false;
  #inValue = false;

  /** The last chunk was read; trailers follow. */
  get last(): boolean {
    return this.#state === LAST;
  }

  /** Reads up to the end of one piece of data; returns the position after it. Stops at {@link last} and at a fault. */
  next(buffer: Buffer, start: number, end: number): number {
    this.dataStart = start;
    this.dataEnd = start;
    let pos = start;
    while (pos < end && this.#state !== LAST && this.fault === null) {
      if (this.#state === DATA) return this.#data(pos, end);
      this.#framing(buffer[pos] as number);
      pos++;
    }
    return pos;
  }

  #data(start: number, end: number): number {
    this.dataStart = start;
    this.dataEnd = Math.min(end, start + this.#size);
    this.#size -= this.dataEnd - start;
    if (this.#size === 0) this.#state = DATA_CR;
    return this.dataEnd;
  }

  #framing(byte: number): void {
    switch (this.#state) {
      case SIZE:
        this.#sizeByte(byte);
        break;
      case EXTENSION:
        this.#extensionByte(byte);
        break;
      case SIZE_LF:
        if (byte !== LF) this.fault = Fault.bareCr;
        else if (this.#size === 0) this.#state = LAST;
        else this.#state = DATA;
        break;
      case DATA_CR:
        if (byte !== CR) this.fault = Fault.invalidChunkEnd;
        this.#state = DATA_LF;
        break;
      case DATA_LF:
        if (byte !== LF) this.fault = Fault.bareCr;
        this.#state = SIZE;
        this.#digits = 0;
        break;
    }
  }

  #sizeByte(byte: number): void {
    const digit = (HEX[byte] as number) - 1;
    if (digit >= 0) this.#digit(digit);
    else if (this.#digits === 0) this.fault = Fault.invalidChunkSize;
    else if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#beginExtension();
    else this.fault = byte === LF ? Fault.bareLf : Fault.invalidChunkSize;
  }

  #digit(digit: number): void {
    if (this.#digits === 0) this.#size = 0;
    if (this.#digits === MAX_DIGITS || this.#size > LARGEST_BEFORE_DIGIT) this.fault = Fault.invalidChunkSize;
    this.#size = this.#size * 16 + digit;
    this.#digits++;
  }

  #beginExtension(): void {
    this.#state = EXTENSION;
    this.#extension = 0;
    this.#beginPart(false);
  }

  #beginPart(value: boolean): void {
    this.#partBegins = true;
    this.#inValue = value;
  }

  #extensionByte(byte: number): void {
    this.#extension++;
    if (this.#extension > MAX_EXTENSION_BYTES) this.fault = Fault.invalidChunkExtension;
    else if (TOKEN[byte] !== 0) this.#partBegins = false;
    else if (byte === LF) this.fault = Fault.bareLf;
    else if (this.#partBegins) this.fault = Fault.invalidChunkExtension;
    else if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#beginPart(false);
    else if (byte === EQUALS && !this.#inValue) this.#beginPart(true);
    else this.fault = Fault.invalidChunkExtension;
  }
}
