import { DeadlineWheel, SystemClock, VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { H } from "../http/header-name.ts";
import { createHttp1ServerCodec } from "./http1-codec.ts";
import { body, cutUp, fields, lineEnds, mutated, mutations } from "./testing/arbitrary-messages.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import { NodeHttpServer } from "./testing/node-server.ts";
import { answerOk, RecordingServer } from "./testing/recorder.ts";
import { hostFirst, regularFields, type Understood, withoutHopFields } from "./testing/understood.ts";

const clock = new VirtualClock();
const codec = createHttp1ServerCodec({ clock, wheel: new DeadlineWheel(clock), headersTimeout: 0 });
const node = new NodeHttpServer();

afterAll(() => node.close());

/** The complete requests that our codec finds in the bytes, and whether it refused what follows. */
function ours(bytes: Buffer, cuts: readonly number[]) {
  const transport = new FakeTransport();
  const server = new RecordingServer();
  server.onRequest = answerOk;
  const connection = codec.serve(transport, server);
  transport.receive(bytes, cuts);
  const requests = server.requests.filter((request) => request.ended);
  const broken = server.requests.some((request) => request.resetBy !== null);
  // A connection that waits for its client to go would be kept for ever: no time passes here.
  connection.close();
  return {
    requests: requests.map(({ headers, body, trailers }): Understood => {
      if (headers === null) throw new Error("a request ended without headers");
      return {
        method: headers.get(H.method) ?? "",
        target: headers.get(H.path) ?? "",
        fields: regularFields(headers),
        body,
        trailers: trailers === null ? [] : regularFields(trailers),
      };
    }),
    refused: server.refused.length > 0 || broken,
  };
}

const methods = fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH");
const targets = fc.constantFrom("/", "/a", "/a?b=c&d", "/%00", "/a;b", "/{x}|y", "/a//b/../c", '/"<>^`');
const versions = fc.oneof(
  { weight: 20, arbitrary: fc.constant("HTTP/1.1") },
  { weight: 1, arbitrary: fc.constantFrom("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/01.1") },
);
const request = fc
  .record({
    method: methods,
    target: targets,
    version: versions,
    fields,
    body,
    at: fc.nat(5),
    ends: fc.array(lineEnds),
  })
  .map(({ method, target, version, fields: extra, body: { framing, bytes }, at, ends }) => {
    const lines = [`${method} ${target} ${version}`, "host: a", ...extra];
    lines.splice(1 + (at % lines.length), 0, ...framing);
    return `${lines.map((line, i) => line + (ends[i] ?? "\r\n")).join("")}\r\n${bytes}`;
  });
const stream = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    mutations,
    cuts: fc.array(fc.nat(400), { maxLength: 4 }),
  })
  .map(({ requests, mutations: changes, cuts }) => ({ bytes: mutated(requests.join(""), changes), cuts }));

/** Methods that Node does not know are refused there before anything else is looked at. */
const KNOWN_METHOD = /^(GET|POST|PUT|DELETE|OPTIONS|HEAD|PATCH)$/;

async function compare(bytes: Buffer, cuts: readonly number[]): Promise<number> {
  const mine = ours(bytes, cuts);
  const theirs = await node.understand(cutUp(bytes, cuts));
  const comparable = mine.requests.findIndex(({ method }) => !KNOWN_METHOD.test(method));
  const accepted = comparable < 0 ? mine.requests : mine.requests.slice(0, comparable);
  expect(theirs.slice(0, accepted.length).map((one) => hostFirst(withoutHopFields(one)))).toEqual(accepted);
  return accepted.length;
}

describe("what is accepted", () => {
  it("is understood as Node's parser understands it, however it is cut", async () => {
    let accepted = 0;
    let round = 1;
    const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
    const wall = new SystemClock();
    const until = wall.monotonic() + seconds * 1000;
    do {
      const property = fc.asyncProperty(stream, async ({ bytes, cuts }) => {
        accepted += await compare(bytes, cuts);
      });
      // New inputs in each round of a long run, the same ones in every short one.
      await fc.assert(property, seconds > 0 ? { numRuns: 2000, seed: round++ } : { numRuns: 3000 });
    } while (wall.monotonic() < until);
    expect(accepted, "the generator must not make nonsense only").toBeGreaterThan(1000);
  }, 3_600_000);
});
