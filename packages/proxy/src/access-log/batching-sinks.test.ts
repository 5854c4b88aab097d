import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { BatchingSinks, type BatchWriter } from "./batching-sinks.ts";

class SlowWriter implements BatchWriter {
  readonly batches: string[] = [];
  pending: ((error: Error | null) => void) | null = null;
  closed = false;

  write(batch: Buffer, done: (error: Error | null) => void): void {
    if (this.pending !== null) throw new Error("batches overlap");
    this.batches.push(batch.toString("latin1"));
    this.pending = done;
  }
  finish(error: Error | null = null): void {
    const done = this.pending;
    this.pending = null;
    done?.(error);
  }
  reopen(): void {
    if (this.pending !== null) throw new Error("reopened while a batch is being written");
    this.batches.push("(reopened)");
  }
  close(): void {
    this.closed = true;
  }
}

function sinks(options: { batchBytes?: number; limitBytes?: number } = {}) {
  const clock = new VirtualClock();
  const writer = new SlowWriter();
  const opened: string[] = [];
  const openWriter = (path: string) => {
    opened.push(path);
    return writer;
  };
  return { clock, writer, opened, sinks: new BatchingSinks({ clock, openWriter, flushInterval: 100, ...options }) };
}

describe("BatchingSinks", () => {
  it("writes lines together, soon", () => {
    const { clock, writer, sinks: all } = sinks();
    all.file("a").write("1\n");
    all.file("a").write("2\n");
    clock.advance(99);
    expect(writer.batches).toEqual([]);
    clock.advance(1);
    expect(writer.batches).toEqual(["1\n2\n"]);
  });

  it("opens each path once", () => {
    const { opened, sinks: all } = sinks();
    all.file("a");
    all.file("b");
    all.file("a");
    expect(opened).toEqual(["a", "b"]);
  });

  it("writes a full batch at once, and the next one only after it", () => {
    const { writer, sinks: all } = sinks({ batchBytes: 4 });
    all.file("a").write("123\n");
    all.file("a").write("456\n");
    expect(writer.batches).toEqual(["123\n"]);
    writer.finish();
    expect(writer.batches).toEqual(["123\n", "456\n"]);
  });

  it("drops and counts what a slow or failing writer cannot take", () => {
    const { writer, sinks: all } = sinks({ batchBytes: 2, limitBytes: 6 });
    for (let i = 0; i < 6; i++) all.file("a").write(`${i}\n`);
    expect(all.dropped).toBe(2);
    writer.finish(new Error("disk full"));
    expect(all.dropped).toBe(3);
    expect(writer.batches).toEqual(["0\n", "1\n2\n3\n"]);
  });

  it("hands over the rest when it closes, then closes the writer", () => {
    const { clock, writer, sinks: all } = sinks();
    all.file("a").write("last\n");
    all.close();
    expect([writer.batches, writer.closed]).toEqual([["last\n"], false]);
    writer.finish();
    expect([writer.closed, clock.pending]).toEqual([true, 0]);
    all.file("a").write("late\n");
    expect(all.dropped).toBe(1);
  });

  it("keeps bytes as they are", () => {
    const { clock, writer, sinks: all } = sinks();
    all.file("a").write("\xff\x00\n");
    clock.advance(100);
    expect(writer.batches).toEqual(["\xff\x00\n"]);
  });

  it("reopens after a rotation, between two batches", () => {
    const { writer, sinks: all } = sinks({ batchBytes: 2 });
    all.file("a").write("1\n");
    all.file("a").write("2\n");
    all.reopen();
    expect(writer.batches).toEqual(["1\n"]);
    writer.finish();
    writer.finish();
    all.reopen();
    expect(writer.batches).toEqual(["1\n", "(reopened)", "2\n", "(reopened)"]);
  });
});
