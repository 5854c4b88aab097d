import { Status } from "../hostcalls/status.ts";

/** Bytes that a plugin can read, and perhaps change. */
export interface GuestBuffer {
  readonly size: number;
  /** Bytes in one piece; valid until the next change. `start` and `end` lie inside. */
  slice(start: number, end: number): Uint8Array;
  /** `set_buffer_bytes` [proxy-wasm §8.4]; answers a status. */
  replace(start: number, length: number, data: Buffer): number;
}

/** Configurations and what calls have brought. */
export class ReadOnlyBuffer implements GuestBuffer {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  slice(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  replace(): number {
    return Status.BadArgument;
  }
}

const EMPTY = Buffer.alloc(0);

/** Bytes on their way through a stream, those held back and those that have just come. */
export class FlowBuffer implements GuestBuffer {
  #held: Buffer[] = [];
  /** Belongs to the caller, so it is copied when it has to be kept. */
  #fresh: Buffer = EMPTY;
  #size = 0;
  /** True once a plugin has changed what lies here. */
  edited = false;

  get size(): number {
    return this.#size;
  }

  /** The next bytes; they must stay as they are until {@link keep} or {@link take}. */
  add(bytes: Buffer): void {
    this.keep();
    this.#fresh = bytes;
    this.#size += bytes.length;
  }

  /** Makes the bytes its own. */
  keep(): void {
    if (this.#fresh.length === 0) return;
    this.#held.push(Buffer.from(this.#fresh));
    this.#fresh = EMPTY;
  }

  /** All bytes, which are no longer here then. */
  take(): Buffer {
    const bytes = this.#joined();
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#held = [];
    this.#fresh = EMPTY;
    this.#size = 0;
    this.edited = false;
  }

  slice(start: number, end: number): Uint8Array {
    return this.#joined().subarray(start, end);
  }

  replace(start: number, length: number, data: Buffer): number {
    if (start === 0 && length === 0) this.#become([data, this.#joined()]);
    else if (start === 0 && length >= this.#size) this.#become([data]);
    else if (start >= this.#size) this.#become([this.#joined(), data]);
    else return Status.BadArgument;
    this.edited = true;
    return Status.Ok;
  }

  #become(parts: Buffer[]): void {
    this.#held = [Buffer.concat(parts)];
    this.#fresh = EMPTY;
    this.#size = this.#held[0]?.length ?? 0;
  }

  #joined(): Buffer {
    if (this.#held.length === 0) return this.#fresh;
    if (this.#held.length > 1 || this.#fresh.length > 0) this.#become([...this.#held, this.#fresh]);
    return this.#held[0] ?? EMPTY;
  }
}
