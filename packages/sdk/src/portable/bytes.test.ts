import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { BYTES, ProtobufReader, ProtobufWriter } from "./protobuf.ts";
import { encodeCodePoint, isUtf8 } from "./utf8.ts";

const random = (length: number, salt: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 197 + salt) & 0xff));

describe("base64", () => {
  it("decodes what it encodes, with and without padding", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = random(length, 11 * length);
      expect(encodeBase64(bytes)).toBe(bytes.toString("base64"));
      expect(decodeBase64(bytes.toString("base64"))).toEqual(new Uint8Array(bytes));
      expect(decodeBase64(bytes.toString("base64").replaceAll("=", ""))).toEqual(new Uint8Array(bytes));
    }
  });

  it.each(["A", "AAAAA", "AA=", "A===", "====", "=", "AA==AA==", "AA A", "AA-_", "AB==", "AAB=", "\u00c1AAA", "AAA=="])(
    "refuses %j",
    (text) => {
      expect(decodeBase64(text)).toBeNull();
    },
  );
});

describe("UTF-8", () => {
  it("accepts what TextDecoder accepts and nothing else", () => {
    const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef];
    edges.push(0xf0, 0xf1, 0xf4, 0xf5, 0xff);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (const a of edges) {
      for (const b of edges) {
        for (const c of edges) {
          for (const d of edges) {
            const bytes = Buffer.from([a, b, c, d]);
            let valid = true;
            try {
              decoder.decode(bytes);
            } catch {
              valid = false;
            }
            if (isUtf8(bytes.toString("latin1"), 0, 4) !== valid) expect.unreachable(bytes.toString("hex"));
          }
        }
      }
    }
  });

  it("looks at its range only", () => {
    expect(isUtf8("\u00ffab\u00ff", 1, 3)).toBe(true);
    expect(isUtf8("\u00c3\u00a9", 0, 1)).toBe(false);
  });

  it("encodes code points", () => {
    for (const point of [0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff]) {
      expect(encodeCodePoint(point)).toBe(Buffer.from(String.fromCodePoint(point)).toString("latin1"));
    }
    expect(encodeCodePoint(0xd800)).toBe("\u00ef\u00bf\u00bd");
    expect(encodeCodePoint(0x110000)).toBe("\u00ef\u00bf\u00bd");
  });
});

function fields(message: string): unknown[] {
  const reader = new ProtobufReader(message, 0, message.length);
  const seen: unknown[] = [];
  while (reader.next()) {
    const content = reader.type === BYTES ? message.substring(reader.start, reader.stop) : "";
    seen.push([reader.field, reader.type, content]);
  }
  return reader.failed ? [...seen, "failed"] : seen;
}

describe("ProtobufReader", () => {
  it("walks the fields and skips what is not length-delimited", () => {
    const message = "\x0a\x02hi\x10\xac\x02\x19\0\0\0\0\0\0\0\0\x25\0\0\0\0\xfa\x01\0";
    expect(fields(message)).toEqual([
      [1, 2, "hi"],
      [2, 0, ""],
      [3, 1, ""],
      [4, 5, ""],
      [31, 2, ""],
    ]);
  });

  it.each([
    ["a length beyond the end", "\x0a\x05hi"],
    ["a tag without its end", "\x8a"],
    ["field number 0", "\x02\x00"],
    ["a group", "\x0b\x0c"],
    ["a length of more than 31 bits", "\x0a\xff\xff\xff\xff\x0f"],
    ["a length of more than 64 bits", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"],
    ["a varint of more than ten bytes", `\x08${"\xff".repeat(11)}\x01`],
    ["a truncated fixed value", "\x09\0\0\0"],
  ])("fails on %s", (_what, message) => {
    expect(fields(message)).toEqual(["failed"]);
  });

  it("reads what the writer wrote", () => {
    const writer = new ProtobufWriter();
    writer.addBytes(1, "x".repeat(300));
    writer.addBytes(200, "");
    expect(fields(writer.finish())).toEqual([
      [1, 2, "x".repeat(300)],
      [200, 2, ""],
    ]);
  });
});
