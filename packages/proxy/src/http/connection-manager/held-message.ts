import type { HeaderMap } from "../header-map.ts";

/**
 * What arrives of a message while a filter holds it. Its source is stopped at once, so no more than what was already
 * read comes in.
 */
export class HeldMessage {
  /** Index of the filter. */
  readonly at: number;
  head: HeaderMap | null = null;
  headEnds = false;
  readonly chunks: Buffer[] = [];
  dataEnds = false;
  trailers: HeaderMap | null = null;

  constructor(at: number) {
    this.at = at;
  }

  headers(head: HeaderMap, endStream: boolean): void {
    this.head = head;
    this.headEnds = endStream;
  }

  data(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    // Buffers are valid during the call only. An empty last piece still has to be told.
    if (end > start || endStream) this.chunks.push(Buffer.from(buffer.subarray(start, end)));
    this.dataEnds = this.dataEnds || endStream;
  }
}
