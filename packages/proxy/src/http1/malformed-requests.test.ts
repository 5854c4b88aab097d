import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHttp1ServerCodec } from "./http1-codec.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import { MALFORMED_BODIES, MALFORMED_HEADS, type MalformedRequest } from "./testing/malformed-requests.ts";
import { RecordingServer } from "./testing/recorder.ts";

const clock = new VirtualClock();
const codec = createHttp1ServerCodec({ clock, wheel: new DeadlineWheel(clock), headersTimeout: 0 });

/** Sends the bytes, cut up. What a smuggler appended follows them. */
function feed(bytes: string, cuts: readonly number[]) {
  const transport = new FakeTransport();
  const server = new RecordingServer();
  codec.serve(transport, server);
  transport.receive(bytes, cuts);
  transport.receive("GET /next HTTP/1.1\r\nhost: a\r\n\r\n");
  return { transport, server };
}

function everyByte(bytes: string): number[] {
  return Array.from({ length: bytes.length }, (_, at) => at);
}

function expectRefusal(request: MalformedRequest, cuts: readonly number[]): void {
  const { transport, server } = feed(request.bytes, cuts);
  const [head = "", body] = transport.output.split("\r\n\r\n");
  expect(server.streams, "nothing reaches a decoder").toHaveLength(0);
  expect(server.refused.map(({ status, code, kind }) => [status, code, kind])).toEqual([
    [request.status, request.code, request.kind],
  ]);
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${request.status} `));
  expect(head).toMatch(/\r\nconnection: (upgrade, )?close$/);
  expect(body).toMatch(new RegExp(`^${request.code}: .`));
  expect([transport.ended, server.refused[0]?.wireBytesSent]).toEqual([true, transport.output.length]);
}

function expectReset(request: MalformedRequest, cuts: readonly number[]): void {
  const { transport, server } = feed(request.bytes, cuts);
  expect(server.streams).toHaveLength(1);
  expect(server.refused).toHaveLength(0);
  const message = server.requests[0];
  expect([message?.ended, message?.resetBy]).toEqual([false, "protocol-error"]);
  expect(server.streams[0]?.encoder.refusal).toEqual({ status: request.status, code: request.code });
  expect(transport.output).toMatch(new RegExp(`^HTTP/1\\.1 ${request.status} [\\s\\S]*\\r\\n\\r\\n${request.code}: `));
  expect(transport.ended).toBe(true);
}

it("knows more than eighty ways to be wrong", () => {
  expect(MALFORMED_HEADS.length).toBeGreaterThan(80);
});

describe.each(MALFORMED_HEADS)("$name", (request) => {
  it(`is answered ${request.status} and passed on to nobody`, () => expectRefusal(request, []));

  it("is answered the same byte by byte", () => expectRefusal(request, everyByte(request.bytes)));
});

describe.each(MALFORMED_BODIES)("$name", (request) => {
  it(`is answered ${request.status} and never ends cleanly`, () => expectReset(request, []));

  it("is answered the same byte by byte", () => expectReset(request, everyByte(request.bytes)));
});

it("answers the same however the bytes are cut", () => {
  const cases = [
    ...MALFORMED_HEADS.map((request) => ({ request, check: expectRefusal })),
    ...MALFORMED_BODIES.map((request) => ({ request, check: expectReset })),
  ].filter(({ request }) => request.bytes.length < 10_000);
  const cutCase = fc
    .constantFrom(...cases)
    .chain((one) => fc.tuple(fc.constant(one), fc.array(fc.nat(one.request.bytes.length), { maxLength: 8 })));
  fc.assert(
    fc.property(cutCase, ([{ request, check }, cuts]) => check(request, cuts)),
    { numRuns: 2000 },
  );
});
