import { describe, expect, it } from "vitest";
import { JSON_ARRAY, JSON_NULL, JSON_OBJECT, JsonReader, type JsonValue } from "./json.ts";

function plain(value: JsonValue): unknown {
  if (value.kind === JSON_OBJECT) {
    return Object.fromEntries(value.names.map((name, i) => [name, plain(value.items[i] as JsonValue)]));
  }
  if (value.kind === JSON_ARRAY) return value.items.map(plain);
  return value.kind === JSON_NULL ? null : value.text;
}

function read(text: string): unknown {
  const reader = new JsonReader(text);
  const value = reader.parse();
  return value === null ? reader.problem : plain(value);
}

describe("JsonReader", () => {
  it("reads every kind of value", () => {
    expect(read('{"a":[1,-2.5e+3,true,false,null,"x"],"b":{}, "c" : [ ] }')).toEqual({
      a: ["1", "-2.5e+3", "true", "false", null, "x"],
      b: {},
      c: [],
    });
  });

  it("turns escapes into UTF-8 bytes", () => {
    const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
    expect(read('"\\u00e9\\u20ac\\ud83d\\ude00\\n\\/\\\\\\""')).toBe(bytes('é€😀\n/\\"'));
    expect(read('"\\ud800\\udc00\\udbff\\udfff"')).toBe(bytes("\u{10000}\u{10ffff}"));
    expect(read('"\\ud83dx"')).toBe(bytes("\ufffdx"));
    expect(read('"\\ude00"')).toBe(bytes("\ufffd"));
    expect(read('"\\ud83d\\u0041"')).toBe(bytes("\ufffdA"));
  });

  it.each([
    ["", "the text ends early at byte 0"],
    ["{", "expected a string at byte 1"],
    ['{"a"', "expected ':' at byte 4"],
    ['{"a":1', "expected ',' or '}' at byte 6"],
    ["[1 2]", "expected ',' or ']' at byte 3"],
    ["[1,]", "expected a value at byte 3"],
    ["01", "a number with a leading zero at byte 2"],
    ["-", "expected a value at byte 1"],
    ["1.", "a number without digits after the point at byte 2"],
    ["1e", "a number without an exponent at byte 2"],
    ["tru", "expected a value at byte 0"],
    ['"a', "a string without an end at byte 2"],
    ['"\n"', "a control character inside a string at byte 1"],
    ['"\\x"', "an unknown escape at byte 3"],
    ['"\\u12"', "an escape without four hexadecimal digits at byte 3"],
    ['"\\', "an unknown escape at byte 3"],
    ["1 1", "more text after the value at byte 2"],
  ])("refuses %j", (text, problem) => {
    expect(read(text)).toBe(problem);
  });

  it("bounds the depth", () => {
    expect(read("[".repeat(100_000))).toBe("too deep at byte 33");
    expect(read('{"a":'.repeat(100_000))).toBe("too deep at byte 165");
    expect(read("[".repeat(33) + "]".repeat(33))).not.toContain("too deep");
    expect(read(`${'{"a":'.repeat(32)}1${"}".repeat(32)}`)).not.toContain("too deep");
  });

  it("agrees with JSON.parse on what is JSON", () => {
    const signs = ["{", "}", "[", "]", ",", ":", '"a"', '"', "1", "0", "-", ".5", "e1", "true", " ", "\\u0041"];
    let seed = 7;
    for (let i = 0; i < 20_000; i++) {
      let text = "";
      for (let n = 0; n < 6; n++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        text += signs[(seed >> 8) % signs.length];
      }
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      expect([text, new JsonReader(text).parse() !== null]).toEqual([text, valid]);
    }
  });
});

describe("JsonValue", () => {
  const value = new JsonReader('{"n":12,"s":"-7","t":"true","f":1.5,"big":1234567890,"x":"a","n":13}').parse();

  it("reads members leniently and never fails", () => {
    expect(value?.get("n")?.asInteger(-1)).toBe(13);
    expect(value?.get("s")?.asInteger(-1)).toBe(-7);
    expect(value?.get("f")?.asInteger(-1)).toBe(-1);
    expect(value?.get("big")?.asInteger(-1)).toBe(-1);
    expect(value?.get("x")?.asInteger(-1)).toBe(-1);
    expect(value?.get("t")?.asBoolean(false)).toBe(true);
    expect(value?.get("n")?.asBoolean(true)).toBe(true);
    expect(value?.get("n")?.asText("")).toBe("13");
    expect(value?.get("absent")).toBeNull();
    expect(value?.asText("none")).toBe("none");
  });
});
