import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import type { StreamEvents } from "./discovery-transport.ts";
import { ReportingClient } from "./report-client.ts";

function setUp() {
  const clock = new VirtualClock();
  const sent: object[] = [];
  const ends: string[] = [];
  let events: StreamEvents<unknown> | null = null;
  let opened = 0;
  const client = new ReportingClient<string>(
    {
      open: (given) => {
        opened++;
        events = given;
        return { send: (report) => sent.push(report), end: () => {}, cancel: () => {} };
      },
      close: () => {},
    },
    {
      clock,
      random: () => 1,
      encode: (report, first) => ({ report, first }),
      onEnd: (reason, retryIn) => ends.push(`${reason} ${retryIn}`),
    },
  );
  return {
    ...{ client, clock, sent, ends },
    opened: () => opened,
    ack: () => events?.onResponse({}),
    end: (reason: string) => events?.onEnd(reason),
  };
}

describe("a client that reports", () => {
  it("opens no stream before there is something to tell", () => {
    const { clock, opened } = setUp();
    clock.advance(1_000_000);
    expect(opened()).toBe(0);
  });

  it("sends a report at a time, and the newest when the server has taken the one before", () => {
    const { client, sent, ack } = setUp();
    client.report("a");
    client.report("b");
    client.report("c");
    expect(sent).toEqual([{ report: "a", first: true }]);
    ack();
    expect(sent.slice(1)).toEqual([{ report: "c", first: false }]);
    ack();
    expect(sent).toHaveLength(2);
  });

  it("opens a lost stream again, later each time, and tells everything anew", () => {
    const { client, clock, sent, ends, end, ack, opened } = setUp();
    client.report("a");
    end("gone");
    client.report("b");
    clock.advance(999);
    expect(opened()).toBe(1);
    clock.advance(1);
    expect(sent.at(-1)).toEqual({ report: "b", first: true });
    end("gone");
    clock.advance(2000);
    ack();
    end("gone");
    expect(ends).toEqual(["gone 1000", "gone 2000", "gone 1000"]);
  });

  it("leaves a server alone for long that does not know the method, as istiod", () => {
    const { client, clock, end, opened } = setUp();
    client.report("a");
    end("12 UNIMPLEMENTED: unknown service");
    clock.advance(599_999);
    expect(opened()).toBe(1);
    clock.advance(1);
    expect(opened()).toBe(2);
  });

  it("does nothing more once it is closed", () => {
    const { client, clock, end, opened } = setUp();
    client.report("a");
    client.close();
    end("gone");
    client.report("b");
    clock.advance(1_000_000);
    expect(opened()).toBe(1);
  });
});
