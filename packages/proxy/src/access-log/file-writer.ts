import { close, open, write } from "node:fs";
import type { BatchWriter } from "./batching-sinks.ts";

/**
 * Appends to a file, made when missing; `/dev/stdout` and `/dev/stderr` are the process's own. A file that cannot be
 * opened is tried again with each batch, so that a log directory may appear later.
 */
export function openFileWriter(path: string): BatchWriter {
  return new FileWriter(path);
}

class FileWriter implements BatchWriter {
  readonly #path: string;
  #descriptor: number | null;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = path === "/dev/stdout" ? 1 : path === "/dev/stderr" ? 2 : null;
  }

  write(batch: Buffer, done: (error: Error | null) => void): void {
    if (this.#descriptor !== null) {
      this.#writeAll(this.#descriptor, batch, 0, done);
      return;
    }
    open(this.#path, "a", 0o644, (error, descriptor) => {
      if (error !== null) {
        done(error);
        return;
      }
      this.#descriptor = descriptor;
      this.#writeAll(descriptor, batch, 0, done);
    });
  }

  reopen(): void {
    // The process's own outputs stay.
    if (this.#descriptor === null || this.#descriptor > 2) this.close();
  }

  close(): void {
    if (this.#descriptor !== null && this.#descriptor > 2) close(this.#descriptor, () => {});
    this.#descriptor = null;
  }

  #writeAll(descriptor: number, batch: Buffer, from: number, done: (error: Error | null) => void): void {
    write(descriptor, batch, from, batch.length - from, null, (error, written) => {
      // A pipe whose reader is slow answers EAGAIN; that batch is lost rather than the event loop.
      if (error !== null) done(error);
      else if (from + written < batch.length) this.#writeAll(descriptor, batch, from + written, done);
      else done(null);
    });
  }
}
