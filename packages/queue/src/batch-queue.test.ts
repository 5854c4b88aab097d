import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { Backoff } from "./backoff.ts";
import { BatchQueue, type SendOutcome } from "./batch-queue.ts";

class Receiver {
  readonly clock = new VirtualClock();
  readonly batches: string[][] = [];
  readonly counts = { sent: 0, failed: 0, dropped: 0 };
  /** What it answers next; the last one for good. */
  answers: SendOutcome[] = ["sent"];
  /** Answers only when it is told to. */
  held = false;
  #waiting: (() => void)[] = [];
  readonly queue: BatchQueue<string>;

  constructor({ capacity = 100, batchBytes = 10, batchItems = 100 } = {}) {
    const { clock, counts } = this;
    this.queue = new BatchQueue<string>({
      ...{ clock, capacity, batchBytes, batchItems, interval: 1000 },
      backoff: new Backoff({ first: 100, most: 400, random: () => 0 }),
      send: async (batch) => {
        this.batches.push([...batch]);
        if (this.held) await new Promise<void>((wake) => this.#waiting.push(wake));
        return (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? "sent";
      },
      report: {
        sent: (items) => {
          counts.sent += items;
        },
        failed: (items) => {
          counts.failed += items;
        },
        dropped: (items) => {
          counts.dropped += items;
        },
      },
    });
  }

  offer(...items: string[]): void {
    for (const item of items) this.queue.offer(item, item.length);
  }

  release(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async advance(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await settle();
  }
}

/** Lets promises that are ready go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe("a queue of batches", () => {
  it("sends what came within the interval, and at once when a batch is full", async () => {
    const receiver = new Receiver();
    receiver.offer("ab", "cd");
    await receiver.advance(999);
    expect(receiver.batches).toEqual([]);
    await receiver.advance(1);
    expect(receiver.batches).toEqual([["ab", "cd"]]);
    receiver.offer("12345", "67890", "x");
    await settle();
    expect(receiver.batches.slice(1)).toEqual([["12345", "67890"]]);
    await receiver.advance(1000);
    expect(receiver.batches.slice(2)).toEqual([["x"]]);
    expect(receiver.counts).toEqual({ sent: 5, failed: 0, dropped: 0 });
  });

  it("splits by bytes and by number; a single item may be larger than a batch", async () => {
    const receiver = new Receiver({ batchItems: 2 });
    receiver.held = true;
    receiver.offer("123456789012", "a", "b", "c", "123456789");
    receiver.held = false;
    receiver.release();
    await settle();
    await receiver.advance(1000);
    expect(receiver.batches).toEqual([["123456789012"], ["a", "b"], ["c", "123456789"]]);
  });

  it("tries again after pauses that double, with the same batch, and keeps nothing twice", async () => {
    const receiver = new Receiver();
    receiver.answers = ["again", "again", "again", "again", "sent"];
    receiver.offer("1234567890");
    await settle();
    for (const [pause, attempts] of [
      [100, 2],
      [200, 3],
      [400, 4],
      [400, 5],
    ] as const) {
      await receiver.advance(pause - 1);
      expect(receiver.batches).toHaveLength(attempts - 1);
      await receiver.advance(1);
      expect(receiver.batches).toHaveLength(attempts);
    }
    expect(new Set(receiver.batches.map(String))).toEqual(new Set(["1234567890"]));
    expect(receiver.counts).toEqual({ sent: 1, failed: 0, dropped: 0 });
    expect(receiver.queue.bytes).toBe(0);
  });

  it("doesn't hurry a receiver that asked for a pause, whatever comes in", async () => {
    const receiver = new Receiver();
    receiver.answers = ["again", "sent"];
    receiver.offer("1234567890");
    await settle();
    receiver.offer("1234567890", "1234567890");
    await receiver.advance(99);
    expect(receiver.batches).toHaveLength(1);
    await receiver.advance(1);
    expect(receiver.counts.sent).toBe(3);
  });

  it("drops and counts what finds no room while the receiver is slow, and goes on afterwards", async () => {
    const receiver = new Receiver({ capacity: 30 });
    receiver.held = true;
    for (let i = 0; i < 50; i++) receiver.offer("1234567890");
    await settle();
    expect(receiver.queue.bytes).toBe(30);
    expect(receiver.counts).toEqual({ sent: 0, failed: 0, dropped: 47 });
    receiver.held = false;
    receiver.release();
    await settle();
    expect(receiver.counts).toEqual({ sent: 3, failed: 0, dropped: 47 });
    receiver.offer("1234567890");
    await settle();
    expect(receiver.counts.sent).toBe(4);
  });

  it("counts what is refused for good as failed and goes on with the next", async () => {
    const receiver = new Receiver();
    receiver.answers = ["refused", "sent"];
    receiver.offer("1234567890", "1234567890");
    await settle();
    expect(receiver.counts).toEqual({ sent: 1, failed: 1, dropped: 0 });
  });

  it("sends what waits when it is closed", async () => {
    const receiver = new Receiver();
    receiver.offer("123456", "123456", "a");
    await receiver.queue.close(2000);
    receiver.offer("late");
    expect(receiver.counts).toEqual({ sent: 3, failed: 0, dropped: 1 });
    expect(receiver.clock.pending).toBe(0);
  });

  it("closes after one attempt where the receiver is away, and within the limit where it doesn't answer", async () => {
    const away = new Receiver();
    away.answers = ["again"];
    away.offer("a");
    await away.queue.close(2000);
    expect(away.counts).toEqual({ sent: 0, failed: 0, dropped: 1 });
    const silent = new Receiver();
    silent.held = true;
    silent.offer("1234567890", "b");
    let closed = false;
    const closing = silent.queue.close(2000).then(() => {
      closed = true;
    });
    await silent.advance(1999);
    expect(closed).toBe(false);
    await silent.advance(1);
    await closing;
    expect(silent.counts).toEqual({ sent: 0, failed: 0, dropped: 2 });
    silent.release();
    await settle();
    expect(silent.counts).toEqual({ sent: 0, failed: 0, dropped: 2 });
  });

  it("shortens pauses by up to half, by chance", () => {
    const backoff = new Backoff({ first: 100, most: 1000, random: () => 0.5 });
    expect([backoff.pause(), backoff.pause()]).toEqual([75, 150]);
    backoff.reset();
    expect(backoff.pause()).toBe(75);
  });
});
