/** Bytes of the head of a gRPC message: a flag, and its length in four bytes. */
const HEAD_BYTES = 5;

/** Counts the messages of one direction of a gRPC stream by their heads. A message counts when its first byte arrives. */
export class MessageCounter {
  count = 0;
  #headBytes = 0;
  #length = 0;
  #left = 0;

  add(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, end - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      if (this.#headBytes === 0) this.count++;
      else this.#length = this.#length * 256 + (buffer[at] as number);
      this.#headBytes++;
      at++;
      if (this.#headBytes < HEAD_BYTES) continue;
      this.#left = this.#length;
      this.#length = 0;
      this.#headBytes = 0;
    }
  }
}
