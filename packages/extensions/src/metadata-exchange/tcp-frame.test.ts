import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLIENT_PEER, peerBytes } from "../testing/mesh.ts";
import {
  encodeFrame,
  FRAME_ABSENT,
  FRAME_FOUND,
  FRAME_UNREADABLE,
  FRAME_WAITING,
  FrameReader,
  MAXIMUM_PAYLOAD,
} from "./tcp-frame.ts";

const METADATA = peerBytes(CLIENT_PEER);
const FRAME = encodeFrame(METADATA, "client");
const MAGIC = "\x3d\x23\x04\x67";

/** What a reader makes of pieces: its state, the application's bytes, and what it learnt. */
function read(...pieces: string[]) {
  const reader = new FrameReader();
  const passed = pieces.map((piece) => reader.read(piece)).join("");
  return { state: reader.state, passed, metadata: reader.metadata, id: reader.id, rest: reader.finish() };
}

const sized = (length: number, payload: string) =>
  MAGIC + String.fromCharCode(...[24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff)) + payload;
const framed = (payload: string) => sized(payload.length, payload);
const withByte = (at: number, byte: number) => FRAME.slice(0, at) + String.fromCharCode(byte) + FRAME.slice(at + 1);

describe("the frame of the TCP metadata exchange", () => {
  it("has upstream's shape: magic, length, an Any with a Struct of metadata and id", () => {
    expect(encodeFrame("", "n")).toBe(
      `${MAGIC}\0\0\0\x6c` +
        "\x0a\x2atype.googleapis.com/google.protobuf.Struct\x12\x3e" +
        "\x0a\x1b\x0a\x15x-envoy-peer-metadata\x12\x02\x2a\0" +
        "\x0a\x1f\x0a\x18x-envoy-peer-metadata-id\x12\x03\x1a\x01n",
    );
  });

  it("is read and stripped; what follows is the application's", () => {
    expect(read(`${FRAME}world`)).toEqual({
      state: FRAME_FOUND,
      passed: "world",
      metadata: METADATA,
      id: "client",
      rest: "",
    });
  });

  it("means the same wherever the stream is cut", () => {
    for (let at = 0; at <= FRAME.length + 5; at++) {
      const stream = `${FRAME}world`;
      const result = read(stream.slice(0, at), stream.slice(at));
      expect([result.state, result.passed, result.metadata]).toEqual([FRAME_FOUND, "world", METADATA]);
    }
    expect(read(...`${FRAME}world`)).toMatchObject({ state: FRAME_FOUND, passed: "world", id: "client" });
  });

  it("holds an incomplete frame, and passes it when the stream ends", () => {
    for (let at = 0; at < FRAME.length; at++) {
      expect(read(FRAME.slice(0, at))).toMatchObject({ state: FRAME_WAITING, passed: "", rest: FRAME.slice(0, at) });
    }
  });

  it("is absent where the magic is wrong: nothing is taken, and nothing held once that is clear", () => {
    for (let at = 0; at < 4; at++) {
      const wrong = withByte(at, 0);
      expect(read(wrong)).toMatchObject({ state: FRAME_ABSENT, passed: wrong, metadata: "" });
      expect(read(...wrong)).toMatchObject({ state: FRAME_ABSENT, passed: wrong });
    }
    expect(read("hi")).toMatchObject({ state: FRAME_ABSENT, passed: "hi" });
  });

  it("is unreadable, but stripped, where its payload is not the message", () => {
    const any = (url: string, value: string) =>
      `\x0a${String.fromCharCode(url.length)}${url}\x12${String.fromCharCode(value.length)}${value}`;
    for (const payload of [
      "",
      "\xff\xff\xff",
      "\x0a\x7fshort",
      any("type.googleapis.com/google.protobuf.Value", ""),
      any("type.googleapis.com/google.protobuf.Struct", ""),
      any("type.googleapis.com/google.protobuf.Struct", "\x0a\x05\x0a\x7f"),
    ]) {
      expect(read(`${framed(payload)}world`)).toMatchObject({ state: FRAME_UNREADABLE, passed: "world" });
    }
  });

  it("is skipped without being kept where it is longer than the limit, up to 4 GiB", () => {
    const long = sized(MAXIMUM_PAYLOAD + 1, "x".repeat(MAXIMUM_PAYLOAD + 1));
    expect(read(long.slice(0, 100), `${long.slice(100)}world`)).toMatchObject({
      state: FRAME_UNREADABLE,
      passed: "world",
      metadata: "",
    });
    const reader = new FrameReader();
    reader.read(sized(0xffff_ffff, ""));
    for (let i = 0; i < 1000; i++) expect(reader.read("y".repeat(1000))).toBe("");
    expect([reader.state, reader.finish()]).toEqual([FRAME_UNREADABLE, ""]);
  });

  it("leaves out an id that is too long", () => {
    expect(read(encodeFrame(METADATA, "i".repeat(1025)))).toMatchObject({ state: FRAME_FOUND, id: "" });
  });

  it("never throws, loses or invents a byte of the application, whatever comes in whatever pieces", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const bytes = (max: number) => fc.array(byte, { maxLength: max }).map((list) => String.fromCharCode(...list));
    const stream = fc.oneof(
      bytes(64),
      bytes(64).map((tail) => MAGIC + tail),
      bytes(200).map((payload) => `${framed(payload)}tail`),
      fc.tuple(fc.nat(FRAME.length - 1), byte).map(([at, value]) => `${withByte(at, value)}tail`),
    );
    fc.assert(
      fc.property(stream, fc.array(fc.nat(300), { maxLength: 6 }), (text, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const whole = read(text);
        const cut = read(...at.slice(1).map((end, i) => text.slice(at[i], end)));
        expect(cut).toEqual(whole);
        expect(text.endsWith(whole.passed + whole.rest)).toBe(true);
        if (whole.state === FRAME_ABSENT) expect(whole.passed).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });
});
