import { SystemClock } from "@mixerless/clock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { H } from "../http/header-name.ts";
import { createHttp1ClientCodec } from "./http1-codec.ts";
import { body, cutUp, fields, lineEnds, mutated, mutations } from "./testing/arbitrary-messages.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import { understandResponse } from "./testing/node-client.ts";
import { RecordedMessage, requestHeaders, settle } from "./testing/recorder.ts";
import { regularFields, type Understood, withoutHopFields } from "./testing/understood.ts";

const codec = createHttp1ClientCodec();

/** What our codec makes of the bytes that answer one request: the statuses before the final response, and that one. */
async function ours(method: string, bytes: Buffer, cuts: readonly number[], ends: boolean) {
  const transport = new FakeTransport();
  const callbacks = { onIdle: () => {}, onGoAway: () => {}, onClose: () => {} };
  const connection = codec.connect(transport, callbacks);
  const response = new RecordedMessage();
  connection.newStream(response).sendHeaders(requestHeaders(method, "/"), true);
  transport.receive(bytes, cuts);
  if (ends) transport.receiveEnd();
  await settle();
  const final: Understood | null =
    response.headers === null || !response.ended
      ? null
      : {
          method: "",
          target: response.headers.get(H.status) ?? "",
          fields: regularFields(response.headers),
          body: response.body,
          trailers: response.trailers === null ? [] : regularFields(response.trailers),
        };
  connection.close();
  return { informational: response.informational.map((headers) => headers.getInteger(H.status)), final };
}

const versions = fc.oneof(
  { weight: 20, arbitrary: fc.constant("HTTP/1.1") },
  { weight: 1, arbitrary: fc.constantFrom("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/01.1", "ICY") },
);
const statuses = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom("200 OK", "404 Not Found", "200", "200 ", "500 caf\xe9", "299 a  b") },
  { weight: 3, arbitrary: fc.constantFrom("204 No Content", "304 Not Modified", "205 Reset Content") },
  { weight: 1, arbitrary: fc.constantFrom("099 x", "600 x", "20 x", "2000 x", "+20 x", "101 x", " 200", "200\tOK") },
);
const informational = fc.array(
  fc.constantFrom(
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n",
    "HTTP/1.1 100 Continue\r\ncontent-length: 3\r\n\r\n",
    "HTTP/1.1 102 Processing\n\n",
  ),
  { maxLength: 2 },
);
const response = fc
  .record({ informational, version: versions, status: statuses, fields, body, at: fc.nat(5), ends: fc.array(lineEnds) })
  .map(({ informational: before, version, status, fields: extra, body: { framing, bytes }, at, ends }) => {
    const lines = [`${version} ${status}`, ...extra];
    lines.splice(1 + (at % lines.length), 0, ...framing);
    return `${before.join("")}${lines.map((line, i) => line + (ends[i] ?? "\r\n")).join("")}\r\n${bytes}`;
  });
const exchange = fc.record({
  method: fc.constantFrom("GET", "GET", "POST", "HEAD"),
  bytes: fc.tuple(response, mutations).map(([text, changes]) => mutated(text, changes)),
  /** What a server sends that nobody asked for. */
  surplus: fc.constantFrom("", "", "", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "x"),
  cuts: fc.array(fc.nat(400), { maxLength: 4 }),
  ends: fc.boolean(),
});

describe("a response that is accepted", () => {
  it("is understood as Node's client understands it, however it is cut", async () => {
    let accepted = 0;
    let round = 1;
    const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
    const wall = new SystemClock();
    const until = wall.monotonic() + seconds * 1000;
    do {
      const property = fc.asyncProperty(exchange, async ({ method, bytes, surplus, cuts, ends }) => {
        const all = Buffer.concat([bytes, Buffer.from(surplus)]);
        const mine = await ours(method, all, cuts, ends);
        if (mine.final === null) return;
        const theirs = await understandResponse(method, cutUp(all, cuts), ends);
        expect(theirs.final === null ? null : withoutHopFields(theirs.final)).toEqual(mine.final);
        expect(theirs.informational).toEqual(mine.informational);
        accepted++;
      });
      await fc.assert(property, seconds > 0 ? { numRuns: 2000, seed: round++ } : { numRuns: 3000 });
    } while (wall.monotonic() < until);
    expect(accepted, "the generator must not make nonsense only").toBeGreaterThan(400);
  }, 3_600_000);
});
