import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteStringToText, cleanLabelValue, labelText, textToByteString } from "./byte-string.ts";

describe("label values", () => {
  it.each([
    ["plain", "plain"],
    ["", ""],
    ["a\nb", "a\nb"],
    ["tab\there", "tab\ufffdhere"],
    ["nul\0", "nul\ufffd"],
    ["caf\xc3\xa9", "café"],
    ["caf\xe9", "caf\ufffd"],
    ["c1 \xc2\x85", "c1 \ufffd"],
    ["\xff\xfe", "\ufffd\ufffd"],
    ["overlong \xc0\xaf", "overlong \ufffd\ufffd"],
    ["东京", "东京"],
    ["lone \ud800 surrogate 东", "lone \ufffd surrogate 东"],
    ["del\x7f", "del\ufffd"],
  ])("shows %j as %j", (value, text) => {
    expect(labelText(value)).toBe(text);
  });

  it("cuts what is longer than the limit at the edge of a character", () => {
    expect(cleanLabelValue("x".repeat(256))).toEqual({ bytes: "x".repeat(256), cut: false });
    expect(cleanLabelValue("x".repeat(257))).toEqual({ bytes: "x".repeat(256), cut: true });
    // 85 characters of 3 bytes are 255 bytes; the 86th does not fit.
    expect(labelText("东".repeat(100))).toBe("东".repeat(85));
    expect(labelText(textToByteString("东".repeat(100)))).toBe("东".repeat(85));
    expect(labelText(`${"x".repeat(254)}\xff\xff`)).toBe("x".repeat(254));
  });

  it("looks at no more of a huge value than it shows", () => {
    expect(cleanLabelValue("\x01".repeat(50_000_000)).bytes).toHaveLength(255);
  });

  it("is valid UTF-8 without control characters, within the limit, and cleaned once for all", () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    );
    fc.assert(
      fc.property(anything, (value) => {
        const { bytes } = cleanLabelValue(value);
        expect(bytes.length).toBeLessThanOrEqual(256);
        const text = new TextDecoder("utf8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, "latin1"));
        expect(text).not.toMatch(/[^\n\P{Cc}]/u);
        expect(cleanLabelValue(bytes)).toEqual({ bytes, cut: false });
      }),
    );
  });

  it("turns text into bytes and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(byteStringToText(textToByteString(text))).toBe(text);
      }),
    );
  });
});
