import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { StreamIdleWatch, type WatchedStream } from "./stream-idle-watch.ts";

/** Above what the wheel may be late by. */
const LATE = 101;

class FakeStream implements WatchedStream {
  idleTimeout: number;
  lastActivity: number;
  idle = 0;

  constructor(idleTimeout: number, lastActivity: number) {
    this.idleTimeout = idleTimeout;
    this.lastActivity = lastActivity;
  }

  onIdle(): void {
    this.idle++;
  }
}

function setUp() {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  let deadlines = 0;
  const after = wheel.after.bind(wheel);
  wheel.after = (delay, callback) => {
    deadlines++;
    return after(delay, callback);
  };
  const watch = new StreamIdleWatch(clock, wheel);
  const begin = (timeout: number) => {
    const stream = new FakeStream(timeout, clock.monotonic());
    watch.watch(stream);
    return stream;
  };
  return { clock, watch, begin, deadlines: () => deadlines };
}

describe("the watch over a connection's streams", () => {
  it("tells a stream once that nothing has happened on it for its limit", () => {
    const { clock, begin } = setUp();
    const stream = begin(1000);
    clock.advance(999);
    expect(stream.idle).toBe(0);
    clock.advance(LATE);
    clock.advance(5000);
    expect(stream.idle).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("counts from the last byte", () => {
    const { clock, begin } = setUp();
    const stream = begin(1000);
    clock.advance(800);
    stream.lastActivity = clock.monotonic();
    clock.advance(900);
    expect(stream.idle).toBe(0);
    clock.advance(100 + LATE);
    expect(stream.idle).toBe(1);
  });

  it("spends no deadline on streams that follow each other", () => {
    const { clock, watch, begin, deadlines } = setUp();
    for (let i = 0; i < 50; i++) {
      const stream = begin(60_000);
      clock.advance(10);
      watch.release(stream);
    }
    expect(deadlines()).toBe(1);
  });

  it("holds the limit of a stream that came long after the deadline was made", () => {
    const { clock, watch, begin } = setUp();
    watch.release(begin(1000));
    clock.advance(700);
    const stream = begin(1000);
    clock.advance(900);
    expect(stream.idle).toBe(0);
    clock.advance(100 + LATE);
    expect(stream.idle).toBe(1);
  });

  it("knows streams at the same time, each by its own limit", () => {
    const { clock, watch, begin } = setUp();
    const long = begin(10_000);
    const short = begin(1000);
    const gone = begin(1000);
    watch.release(gone);
    clock.advance(1000 + LATE);
    expect([long.idle, short.idle, gone.idle]).toEqual([0, 1, 0]);
    clock.advance(9000);
    expect([long.idle, short.idle, gone.idle]).toEqual([1, 1, 0]);
  });

  it("takes another limit for a stream that it watches", () => {
    const { clock, watch, begin } = setUp();
    const stream = begin(60_000);
    stream.idleTimeout = 500;
    watch.watch(stream);
    clock.advance(500 + LATE);
    expect(stream.idle).toBe(1);
  });

  it("is silent once the connection is gone", () => {
    const { clock, watch, begin } = setUp();
    const stream = begin(1000);
    watch.close();
    clock.advance(5000);
    expect(stream.idle).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
