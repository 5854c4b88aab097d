import { VirtualClock } from "@mixerless/clock";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MALFORMED_BODIES, MALFORMED_HEADS, type MalformedRequest } from "../src/http1/testing/malformed-requests.ts";
import { eventually, RawClient } from "./raw-client.ts";
import { RawOrigin } from "./raw-origin.ts";
import { WholeProxy } from "./whole-proxy.ts";

let origin: RawOrigin;
let proxy: WholeProxy;

beforeAll(async () => {
  origin = await RawOrigin.listen();
  proxy = await WholeProxy.start({ originPort: origin.port, clock: new VirtualClock() });
});

beforeEach(() => origin.reset());

afterAll(async () => {
  await proxy.close();
  origin.close();
});

/** What a smuggler appends: on a connection that was not closed it would be the next request. */
const NEXT = "GET /next HTTP/1.1\r\nhost: a\r\n\r\n";

/** The whole answer to what was sent, read until the proxy ended the connection. */
async function answerTo(bytes: string, way: "whole" | "byte by byte"): Promise<string> {
  const client = await RawClient.connect(proxy.port);
  if (way === "whole") client.send(bytes + NEXT);
  else await client.sendByteByByte(bytes + NEXT);
  return client.toEnd();
}

function expectOneAnswer(answer: string, { status, code }: MalformedRequest): void {
  const [head = "", ...bodies] = answer.split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toMatch(/\r\nconnection: (upgrade, )?close(\r\n|$)/);
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  if (bodies.length > 0 && bodies[0] !== "") expect(bodies[0]).toContain(code);
}

const COUNTERS = ["downstream_cx_protocol_error", "downstream_rq_header_timeout", "downstream_rq_ws_on_non_ws_route"];
const COUNTER_OF = { "protocol-error": 0, "header-timeout": 1, upgrade: 2, unsupported: -1 } as const;

function counts(): number[] {
  return [...COUNTERS.map((name) => proxy.stat(name)), proxy.answered(4), proxy.stat("downstream_rq_total")];
}

async function expectRefused(request: MalformedRequest, way: "whole" | "byte by byte"): Promise<void> {
  const before = counts();
  expectOneAnswer(await answerTo(request.bytes, way), request);
  expect(origin.connections, "nothing was forwarded").toEqual([]);
  const counted = COUNTER_OF[request.kind];
  const expected = before.map((value, i) => value + (i === counted || i >= COUNTERS.length ? 1 : 0));
  expect(counts()).toEqual(expected);
}

/** The head of such a request was no fault, so it has been forwarded: but never an end of its body, nor what follows. */
async function expectBrokenOff(request: MalformedRequest, way: "whole" | "byte by byte"): Promise<void> {
  const before = counts();
  expectOneAnswer(await answerTo(request.bytes, way), request);
  // Where all came at once, the stream was over before its connection was there, which stays for the next one.
  await eventually(() => origin.connections.every(({ received, ended, closed }) => received === "" || ended || closed));
  expect(origin.connections.length).toBeLessThanOrEqual(1);
  for (const { received } of origin.connections) {
    expect(received.match(/HTTP\/1\.1\r\n/g)?.length ?? 0, "one request at most").toBeLessThanOrEqual(1);
    expect(received).not.toContain("0\r\n\r\n");
    expect(received).not.toMatch(/\/next/);
  }
  expect(counts()).toEqual(before.map((value, i) => value + (i === 1 || i === 2 ? 0 : 1)));
}

it("a sound request is forwarded and answered, or else nothing here would mean anything", async () => {
  origin.onData = (connection) => connection.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  const client = await RawClient.connect(proxy.port);
  client.send("GET /sound HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
  expect(origin.connections.map(({ received }) => received)).toEqual([
    expect.stringMatching(/^GET \/sound HTTP\/1\.1\r\nhost: a\r\n/),
  ]);
  origin.onData = () => {};
});

describe.each(["whole", "byte by byte"] as const)("sent %s, is refused with nothing forwarded:", (way) => {
  it.each(MALFORMED_HEADS)("$name", (request) => expectRefused(request, way));
});

describe.each(["whole", "byte by byte"] as const)("sent %s, is broken off and never completed:", (way) => {
  it.each(MALFORMED_BODIES)("$name", (request) => expectBrokenOff(request, way));
});

it("each is logged with its status, flag and details", async () => {
  const requests = [...MALFORMED_HEADS, ...MALFORMED_BODIES];
  const lines = await proxy.log(1 + 2 * requests.length);
  const told = lines.slice(1).map((line) => line.split(" ").slice(0, 3).join(" "));
  const expected = requests.map(
    ({ status, code, kind }) => `${status} ${kind === "protocol-error" ? "DPE" : "-"} ${code}`,
  );
  const sorted = (texts: readonly string[]) => [...texts].sort();
  expect(sorted(told)).toEqual(sorted([...expected, ...expected]));
});
