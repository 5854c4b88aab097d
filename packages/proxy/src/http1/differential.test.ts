import { DeadlineWheel, SystemClock, VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import { createHttp1ServerCodec } from "./http1-codec.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import { NodeHttpServer, type Understood } from "./testing/node-server.ts";
import { answerOk, RecordingServer } from "./testing/recorder.ts";

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
        fields: regular(headers),
        body,
        trailers: trailers === null ? [] : regular(trailers),
      };
    }),
    refused: server.refused.length > 0 || broken,
  };
}

function regular(headers: HeaderMap): [string, string][] {
  const fields: [string, string][] = [];
  headers.forEach((name, value) => {
    if (name === ":authority") fields.push(["host", value]);
    else if (!name.startsWith(":")) fields.push([name, value]);
  });
  return fields;
}

/** Node shows `host` where it stood, and what `connection` says is for one hop only; ours does neither. */
function asOurs({ fields, ...rest }: Understood): Understood {
  const isHost = ([name]: readonly [string, string]) => name === "host";
  const options = fields.filter(([name]) => name === "connection").flatMap(([, value]) => value.split(","));
  const nominated = new Set(options.map((option) => option.trim().toLowerCase()));
  for (const kept of ["te", "host", "content-length", "transfer-encoding"]) nominated.delete(kept);
  const others = fields.filter((field) => !isHost(field) && !nominated.has(field[0]));
  return { ...rest, fields: [...fields.filter(isHost), ...others] };
}

const methods = fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH");
const targets = fc.constantFrom("/", "/a", "/a?b=c&d", "/%00", "/a;b", "/{x}|y", "/a//b/../c", '/"<>^`');
const versions = fc.oneof(
  { weight: 20, arbitrary: fc.constant("HTTP/1.1") },
  { weight: 1, arbitrary: fc.constantFrom("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/01.1") },
);
const lineEnds = fc.oneof(
  { weight: 40, arbitrary: fc.constant("\r\n") },
  { weight: 1, arbitrary: fc.constantFrom("\n", "\r", "\r\r\n", "\r\n ", "\n\r\n", "\r\n\t") },
);
const names = fc.constantFrom("x", "X-Two", "accept", "cookie", "x_y", "content-type", "x-a.b~c!#$%&'*+^`|");
const values = fc.constantFrom("", "1", " 1 ", "\t1\t", "a, b", "caf\xe9", "\x80\xff", "x:y", "a  b", "0", "chunked");
const plainField = fc.tuple(names, values).map(([name, value]) => `${name}:${value}`);
const framingField = fc.constantFrom(
  "content-length: 3",
  "Content-Length:3",
  "content-length: 0",
  "content-length: 03",
  "content-length: +3",
  "content-length: 3, 3",
  "content-length: 4",
  "content-length : 3",
  "transfer-encoding: chunked",
  "Transfer-Encoding:  Chunked ",
  "transfer-encoding: gzip, chunked",
  "transfer-encoding: chunked, identity",
  "transfer-encoding: identity",
  "transfer-encoding:\x0bchunked",
  "transfer-encoding : chunked",
  "transfer-encoding",
  "connection: close",
  "connection: keep-alive, x",
  "connection: transfer-encoding",
  "connection: content-length",
  "te: trailers",
  "trailer: x",
  "host: b",
);
const fields = fc.array(fc.oneof({ weight: 3, arbitrary: plainField }, { weight: 1, arbitrary: framingField }), {
  maxLength: 5,
});
const chunkSizes = fc.constantFrom("3", "03", "3;a=b", "3 ", "0x3", "+3", "3;", " 3", "3\t", "A", "fffffffffffffffff");
const chunk = fc.oneof(
  { weight: 10, arbitrary: fc.constant("3\r\nabc\r\n") },
  { weight: 1, arbitrary: fc.tuple(chunkSizes, lineEnds, lineEnds).map(([size, a, b]) => `${size}${a}abc${b}`) },
);
const trailers = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom("x: 1\r\n", "content-length: 3\r\n", "x : 1\r\n", "x: 1\n", " x: 1\r\n") },
);
const body = fc.oneof(
  fc.constant({ framing: [] as string[], bytes: "" }),
  fc.constant({ framing: ["content-length: 3"], bytes: "abc" }),
  fc.tuple(fc.array(chunk, { maxLength: 3 }), trailers).map(([chunks, end]) => ({
    framing: ["transfer-encoding: chunked"],
    bytes: `${chunks.join("")}0\r\n${end}\r\n`,
  })),
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
const specials = fc.constantFrom(
  "\r",
  "\n",
  "\r\n",
  " ",
  "\t",
  ":",
  "\0",
  "\x0b",
  ",",
  "\x80",
  "0",
  "x",
  ";",
  "\x7f",
  "a",
);
const mutation = fc.record({ at: fc.nat(400), remove: fc.nat(2), insert: fc.oneof(fc.constant(""), specials) });
const stream = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    mutations: fc.array(mutation, { maxLength: 2 }),
    cuts: fc.array(fc.nat(400), { maxLength: 4 }),
  })
  .map(({ requests, mutations, cuts }) => {
    let text = requests.join("");
    for (const { at, remove, insert } of mutations) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + insert + text.slice(place + remove);
    }
    return { bytes: Buffer.from(text, "latin1"), cuts };
  });

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b).filter((cut) => cut < bytes.length), bytes.length];
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place));
}

/** Methods that Node does not know are refused there before anything else is looked at. */
const KNOWN_METHOD = /^(GET|POST|PUT|DELETE|OPTIONS|HEAD|PATCH)$/;

async function compare(bytes: Buffer, cuts: readonly number[]): Promise<number> {
  const mine = ours(bytes, cuts);
  const theirs = await node.understand(pieces(bytes, cuts));
  const comparable = mine.requests.findIndex(({ method }) => !KNOWN_METHOD.test(method));
  const accepted = comparable < 0 ? mine.requests : mine.requests.slice(0, comparable);
  expect(theirs.slice(0, accepted.length).map(asOurs)).toEqual(accepted);
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
