/**
 * Room for what transports append during one turn. A transport holds a scratch only while it has
 * something to send, so idle connections own no buffer. Only scratches that nobody reads any more may
 * be given back: a partial write leaves libuv with a pointer into the scratch [performance §5, bug 1].
 */
export class ScratchPool {
  readonly #size: number;
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** `size` bytes each; at most `keep` are held in reserve. */
  constructor(size: number, keep: number) {
    this.#size = size;
    this.#keep = keep;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
  }

  give(scratch: Buffer): void {
    if (this.#free.length < this.#keep) this.#free.push(scratch);
  }
}
