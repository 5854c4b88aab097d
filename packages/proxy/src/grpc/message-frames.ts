/** A flag for compression and a length of four bytes go before each message. */
const HEAD = 5;
const NOTHING = Buffer.alloc(0);

export function frameMessage(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, HEAD);
  return frame;
}

/** Why a stream of frames can't be read on. */
export type FrameFault = "compressed" | "too-large";

/** Takes messages out of a stream of frames, however it is cut. */
export class FrameReader {
  readonly #mostBytes: number;
  readonly #onMessage: (message: Buffer) => void;
  #rest: Buffer[] = [];
  #length = 0;

  constructor(mostBytes: number, onMessage: (message: Buffer) => void) {
    this.#mostBytes = mostBytes;
    this.#onMessage = onMessage;
  }

  /** Whether it stands between two messages. */
  get complete(): boolean {
    return this.#length === 0;
  }

  /** Takes over `chunk`. Null: all is well so far. */
  take(chunk: Buffer): FrameFault | null {
    this.#rest.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= HEAD) {
      const head = this.#peek(HEAD);
      if (head[0] !== 0) return "compressed";
      const size = head.readUInt32BE(1);
      if (size > this.#mostBytes) return "too-large";
      if (this.#length < HEAD + size) return null;
      const frame = this.#peek(HEAD + size);
      this.#drop(HEAD + size);
      this.#onMessage(frame.subarray(HEAD, HEAD + size));
    }
    return null;
  }

  /** A buffer that begins with the next `size` bytes. */
  #peek(size: number): Buffer {
    const [first = NOTHING] = this.#rest;
    if (first.length >= size) return first;
    // The head is looked at once for each chunk that arrives: only it is joined until the whole frame is there.
    const whole = size === HEAD ? Buffer.concat(this.#rest, HEAD) : Buffer.concat(this.#rest);
    if (size !== HEAD) this.#rest = [whole];
    return whole;
  }

  #drop(size: number): void {
    const [first = NOTHING] = this.#rest;
    this.#length -= size;
    if (first.length === size) this.#rest.shift();
    else this.#rest[0] = first.subarray(size);
  }
}
