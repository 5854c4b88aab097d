import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { StreamEncoder } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import { createHttp1ClientCodec, createHttp1ServerCodec } from "./http1-codec.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import {
  fieldsOf,
  headersOf,
  RecordedMessage,
  RecordingServer,
  requestHeaders,
  responseHeaders,
} from "./testing/recorder.ts";

const clock = new VirtualClock();
const serverCodec = createHttp1ServerCodec({ clock, wheel: new DeadlineWheel(clock), headersTimeout: 0 });
const clientCodec = createHttp1ClientCodec();

type Field = [string, string];

const names = fc
  .string({ unit: fc.constantFrom(..."abcxyz0189-_.~!#$%&'*+^`|"), minLength: 1, maxLength: 12 })
  .map((name) => `x${name}`);
const values = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((c) => c !== 0x7f)
      .map((c) => String.fromCharCode(c)),
    maxLength: 40,
  })
  .map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ""));
const fields = fc.array(fc.tuple(names, values), { maxLength: 12 });
const body = fc.array(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)), minLength: 1, maxLength: 60 }),
  {
    maxLength: 4,
  },
);
const target = fc.string({
  unit: fc
    .integer({ min: 0x21, max: 0x7e })
    .map((c) => String.fromCharCode(c))
    .filter((c) => c !== "#"),
});
const message = fc.record({
  fields,
  body,
  sized: fc.boolean(),
  trailers: fc.array(fc.tuple(names, values), { maxLength: 3 }),
});
const cuts = fc.array(fc.nat(600), { maxLength: 10 });

interface Message {
  fields: Field[];
  body: string[];
  sized: boolean;
  trailers: Field[];
}

function sendMessage(encoder: StreamEncoder, headers: HeaderMap, { body, sized, trailers }: Message): void {
  const hasTrailers = !sized && trailers.length > 0;
  encoder.sendHeaders(headers, body.length === 0 && !hasTrailers);
  body.forEach((part, i) => {
    const bytes = Buffer.from(part, "latin1");
    encoder.sendData(bytes, 0, bytes.length, !hasTrailers && i === body.length - 1);
  });
  if (hasTrailers) encoder.sendTrailers(headersOf(trailers));
}

function sizeFields({ body, sized }: Message): Field[] {
  return sized ? [["content-length", String(body.join("").length)]] : [];
}

function expectMessage(received: RecordedMessage | undefined, sent: Message, pseudo: readonly string[]): void {
  expect([received?.ended, received?.body]).toEqual([true, sent.body.join("")]);
  const framing = /^(content-length|transfer-encoding)=/;
  const regular = sent.fields.map(([name, value]) => `${name}=${value}`);
  expect(fieldsOf(received?.headers ?? null).filter((field) => !framing.test(field))).toEqual([...pseudo, ...regular]);
  const trailers = sent.sized ? [] : sent.trailers.map(([name, value]) => `${name}=${value}`);
  expect(fieldsOf(received?.trailers ?? null)).toEqual(trailers);
}

it("brings a request through encoder and parser unchanged, however it is cut", () => {
  fc.assert(
    fc.property(fc.constantFrom("POST", "PUT", "M-SEARCH"), target, message, cuts, (method, path, sent, where) => {
      const upstream = new FakeTransport();
      const encoder = clientCodec
        .connect(upstream, { onIdle: () => {}, onGoAway: () => {}, onClose: () => {} })
        .newStream(new RecordedMessage());
      sendMessage(encoder, requestHeaders(method, `/${path}`, [...sent.fields, ...sizeFields(sent)]), sent);
      expect(encoder.wireBytesSent).toBe(upstream.output.length);
      const downstream = new FakeTransport();
      const server = new RecordingServer();
      serverCodec.serve(downstream, server);
      downstream.receive(upstream.output, where);
      const pseudo = [":authority=reviews:9080", `:path=/${path}`, `:method=${method}`, ":scheme=http"];
      expectMessage(server.requests[0], sent, pseudo);
      expect(server.streams[0]?.encoder.wireBytesReceived).toBe(upstream.output.length);
    }),
    { numRuns: 1000 },
  );
});

it("brings a response through encoder and parser unchanged, however it is cut", () => {
  fc.assert(
    fc.property(fc.constantFrom(200, 201, 299, 404, 500), message, cuts, (status, sent, where) => {
      const downstream = new FakeTransport();
      const server = new RecordingServer();
      serverCodec.serve(downstream, server);
      downstream.receive("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      const stream = server.streams[0];
      if (stream === undefined) throw new Error("the request did not arrive");
      sendMessage(stream.encoder, responseHeaders(status, [...sent.fields, ...sizeFields(sent)]), sent);
      const upstream = new FakeTransport();
      const response = new RecordedMessage();
      const calls: string[] = [];
      const callbacks = { onIdle: () => calls.push("idle"), onGoAway: () => {}, onClose: () => {} };
      clientCodec.connect(upstream, callbacks).newStream(response).sendHeaders(requestHeaders("GET", "/"), true);
      upstream.receive(downstream.output, where);
      expectMessage(response, sent, [`:status=${status}`]);
      expect(calls).toEqual(["idle"]);
    }),
    { numRuns: 1000 },
  );
});
