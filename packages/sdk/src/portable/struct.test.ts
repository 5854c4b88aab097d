import { describe, expect, it } from "vitest";
import { JSON_NULL, JSON_STRING } from "./json.ts";
import { ProtobufWriter } from "./protobuf.ts";
import { decodeStruct, StructWriter } from "./struct.ts";

/** The bytes of one message with one length-delimited field. */
function message(field: number, content: string): string {
  const writer = new ProtobufWriter();
  writer.addBytes(field, content);
  return writer.finish();
}

const text = (content: string) => message(3, content);
const entry = (key: string, value: string) => message(1, message(1, key) + message(2, value));
const nested = (depth: number): string => (depth === 0 ? "" : entry("k", message(5, nested(depth - 1))));

describe("StructWriter", () => {
  it("writes the deterministic encoding: keys in byte order, nothing empty", () => {
    const labels = new StructWriter();
    labels.addText("version", "v1");
    labels.addText("app", "reviews");
    const struct = new StructWriter();
    struct.addText("NAMESPACE", "default");
    struct.addText("NAME", "pod");
    struct.addText("OWNER", "");
    struct.addStruct("LABELS", labels);
    struct.addStruct("EMPTY", new StructWriter());
    const expected =
      entry("LABELS", message(5, entry("app", text("reviews")) + entry("version", text("v1")))) +
      entry("NAME", text("pod")) +
      entry("NAMESPACE", text("default"));
    expect(struct.finish()).toBe(expected);
  });
});

describe("decodeStruct", () => {
  it("reads what the writer wrote", () => {
    const inner = new StructWriter();
    inner.addText("app", "r\u00c3\u00a9");
    const outer = new StructWriter();
    outer.addStruct("LABELS", inner);
    outer.addText("NAME", "pod");
    const decoded = decodeStruct(outer.finish());
    expect(decoded?.get("NAME")?.text).toBe("pod");
    expect(decoded?.get("LABELS")?.get("app")?.text).toBe("r\u00c3\u00a9");
  });

  it("takes the last of repeated keys and of repeated values", () => {
    const decoded = decodeStruct(entry("a", text("1")) + entry("a", text("2") + text("3")));
    expect(decoded?.get("a")?.text).toBe("3");
  });

  it("reads an entry without key or value as proto3 does", () => {
    expect(decodeStruct(message(1, ""))?.get("")?.kind).toBe(JSON_NULL);
    expect(decodeStruct(message(1, message(2, text("x"))))?.get("")?.text).toBe("x");
  });

  it("keeps the order of kinds inside one value", () => {
    const number = "\x11\0\0\0\0\0\0\0\0";
    expect(decodeStruct(entry("a", number + text("x")))?.get("a")?.kind).toBe(JSON_STRING);
    expect(decodeStruct(entry("a", `${text("x")}\x08\x00`))?.get("a")?.kind).toBe(JSON_NULL);
  });

  it("is empty for no bytes", () => {
    expect(decodeStruct("")?.items).toEqual([]);
  });

  it.each([
    ["bytes cut short", entry("NAME", text("pod")).slice(0, -1)],
    ["text that is not UTF-8", entry("NAME", text("\u00ff"))],
    ["a key that is not UTF-8", entry("\u00ff", text("x"))],
    ["a key that is too long", entry("k".repeat(513), text("x"))],
    ["a text that is too long", entry("k", text("x".repeat(4097)))],
    ["too many values", entry("k", text("x")).repeat(513)],
    ["too deep a nesting", nested(11)],
    [
      "too deep a list",
      entry(
        "k",
        Array.from({ length: 12 }).reduce<string>((v) => message(6, message(1, v)), text("x")),
      ),
    ],
    ["garbage", "\u00de\u00ad\u00be\u00ef"],
  ])("refuses %s", (_what, bytes) => {
    expect(decodeStruct(bytes)).toBeNull();
  });

  it("accepts values at the limits", () => {
    expect(decodeStruct(entry("k".repeat(512), text("x".repeat(4096))))).not.toBeNull();
    expect(decodeStruct(entry("k", text("x")).repeat(512))).not.toBeNull();
    expect(decodeStruct(nested(8))).not.toBeNull();
  });

  it("never throws on mutated bytes", () => {
    const good = entry("LABELS", message(5, entry("app", text("reviews")))) + entry("NAME", text("pod"));
    for (let i = 0; i < good.length; i++) {
      for (let byte = 0; byte < 256; byte += 5) {
        decodeStruct(good.slice(0, i) + String.fromCharCode(byte) + good.slice(i + 1));
      }
      decodeStruct(good.slice(0, i));
    }
  });
});
