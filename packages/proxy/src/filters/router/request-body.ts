/** Copies of the parts of a request body, for a connection that is not there yet or for another attempt. */
export class RequestBody {
  readonly chunks: Buffer[] = [];
  size = 0;

  add(buffer: Buffer, start: number, end: number): void {
    if (end === start) return;
    this.chunks.push(Buffer.from(buffer.subarray(start, end)));
    this.size += end - start;
  }

  clear(): void {
    this.chunks.length = 0;
    this.size = 0;
  }
}
