import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ResponseHead } from "../http1/response-head.ts";
import { CheckedFieldValue } from "./field-value.ts";
import { HeaderMap } from "./header-map.ts";
import { H, HeaderName } from "./header-name.ts";

type Field = readonly [string, string];

const head = new ResponseHead({ maxHeadBytes: 60_000, maxHeaders: 100, underscores: "allow" });

/** A map as the codec makes it from bytes. */
function received(fields: readonly Field[], separator = ": "): HeaderMap {
  const lines = fields.map(([name, value]) => `${name}${separator}${value}\r\n`).join("");
  const bytes = Buffer.from(`junkHTTP/1.1 200 OK\r\n${lines}\r\n`, "latin1");
  const end = head.parse(bytes, 4, bytes.length);
  expect(end).toBe(bytes.length);
  const headers = head.build(bytes, end);
  bytes.fill(0);
  return headers;
}

function written(fields: readonly Field[]): HeaderMap {
  const headers = new HeaderMap();
  headers.add(H.status, "200");
  for (const [name, value] of fields) headers.add(HeaderName.of(name), value);
  return headers;
}

function list(headers: HeaderMap): Field[] {
  const fields: Field[] = [];
  headers.forEach((name, value) => {
    fields.push([name, value]);
  });
  return fields;
}

function serialise(headers: HeaderMap, from = 0): string {
  let text = "";
  const bytes = headers.writeFields(
    {
      append: (buffer, start, end) => {
        text += buffer.toString("latin1", start, end);
      },
      appendLatin1: (more) => {
        text += more;
      },
    },
    from,
  );
  expect(bytes).toBe(text.length);
  return text;
}

const origins = [
  { origin: "received", make: received },
  { origin: "received with odd white space", make: (fields: readonly Field[]) => received(fields, ":   ") },
  { origin: "written", make: written },
];

const name = (text: string) => HeaderName.of(text);

describe.each(origins)("a HeaderMap that was $origin", ({ make }) => {
  it("finds names in any case, known before or not", () => {
    const headers = make([
      ["Content-Type", "text/html"],
      ["X-Never-Seen-Before", "1"],
    ]);
    expect(headers.get(H.contentType)).toBe("text/html");
    expect(headers.get(name("X-NEVER-seen-before"))).toBe("1");
    expect(headers.get(HeaderName.transient("x-never-seen-before"))).toBe("1");
    expect([headers.get(name("x-absent")), headers.getFirst(name("x-absent")), headers.has(name("x-absent"))]).toEqual([
      null,
      null,
      false,
    ]);
  });

  it("joins several values by a comma and keeps the first apart", () => {
    const headers = make([
      ["x", "1"],
      ["y", "2"],
      ["X", "3"],
    ]);
    headers.add(name("x"), "4");
    expect([headers.get(name("x")), headers.getFirst(name("x")), headers.size]).toEqual(["1,3,4", "1", 5]);
  });

  it("sets in the place of the first and drops the others", () => {
    const headers = make([
      ["a", "1"],
      ["x", "2"],
      ["b", "3"],
      ["x", "4"],
    ]);
    headers.add(name("x"), "5");
    headers.set(name("x"), "6");
    expect(list(headers).slice(1)).toEqual([
      ["a", "1"],
      ["x", "6"],
      ["b", "3"],
    ]);
    expect(serialise(headers)).toBe("a: 1\r\nx: 6\r\nb: 3\r\n");
  });

  it("adds at the end what it had not, and sets it again", () => {
    const headers = make([["a", "1"]]);
    headers.set(name("x"), "2");
    headers.add(name("x"), "3");
    headers.set(name("x"), "4");
    expect(serialise(headers)).toBe("a: 1\r\nx: 4\r\n");
  });

  it("removes every value", () => {
    const headers = make([
      ["x", "1"],
      ["a", "2"],
      ["x", "3"],
    ]);
    headers.add(name("x"), "4");
    headers.remove(name("x"));
    expect([headers.has(name("x")), serialise(headers)]).toEqual([false, "a: 2\r\n"]);
  });

  it("writes fields from an id on, unknown ones always, pseudo-headers never", () => {
    const headers = make([
      ["connection", "close"],
      ["content-length", "5"],
      ["x-some-other", "1"],
    ]);
    headers.add(H.keepAlive, "timeout=1");
    headers.add(name(":protocol"), "websocket");
    headers.add(name("x-more"), "2");
    expect(serialise(headers, H.contentLength.id)).toBe("content-length: 5\r\nx-some-other: 1\r\nx-more: 2\r\n");
    expect(serialise(headers, H.contentLength.id + 1)).toBe("x-some-other: 1\r\nx-more: 2\r\n");
  });

  it("reads plain decimals, and only those, as integers", () => {
    const number = name("x-number");
    const value = (text: string) => make([["x-number", text]]).getInteger(number);
    expect(["0", "007", "42", "9007199254740991"].map(value)).toEqual([0, 7, 42, 9007199254740991]);
    for (const text of ["", "-1", "+1", "1.0", "0x1", "1 1", "9007199254740992", "12345678901234567890"]) {
      expect(value(text), text).toBe(-1);
    }
    const twice = make([
      ["x-number", "1"],
      ["x-number", "1"],
    ]);
    expect([twice.getInteger(number), twice.getInteger(H.status), twice.getInteger(H.te)]).toEqual([-1, 200, -1]);
  });

  it("compares values without making strings of them", () => {
    const headers = make([["te", "trailers"]]);
    const equals = (text: string) => headers.valueEquals(H.te, text);
    expect([equals("trailers"), equals("trailer"), equals("Trailers"), headers.valueEquals(H.host, "")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    headers.set(H.te, "x");
    expect([equals("x"), equals("trailers")]).toEqual([true, false]);
  });

  it("never holds a value that would break its line, nor a name that is none", () => {
    const headers = make([]);
    headers.set(name("a"), "1\r\nb: 2\0");
    headers.add(name("c"), "caf\u00e9 \u010a\u{1f600}\t\x7f");
    for (const bad of ["", "d e", "f:", "g\r\n", "\u010a", ":x y"]) headers.set(name(bad), "never");
    headers.set(H.path, "/a b\r\n\u00e9\u010a");
    expect(serialise(headers)).toBe("a: 1  b: 2 \r\nc: caf\u00e9    \t \r\n");
    expect(headers.get(H.path)).toBe("/a%20b%0D%0A%E9%3F");
  });

  it("takes values that were checked before as it takes others, also where a field becomes part of the start line", () => {
    const value = new CheckedFieldValue("1\r\nb: 2\0\u010a");
    const headers = make([["a", "0"]]);
    headers.add(name("a"), "3");
    headers.setChecked(name("a"), value);
    headers.setChecked(name("c"), value);
    headers.setChecked(name("d e"), value);
    headers.setChecked(H.path, value);
    headers.setChecked(H.host, value);
    expect(serialise(headers)).toBe("a: 1  b: 2  \r\nc: 1  b: 2  \r\n");
    expect([headers.get(H.path), headers.get(H.authority)]).toEqual(["1%20%20b:%202%20%20", "1%20%20b:%202%20%20"]);
  });

  it("is told apart from its clone", () => {
    const headers = make([["x-only-in-clone", "1"]]);
    headers.add(name("y"), "2");
    HeaderName.of("x-only-in-clone");
    const copy = headers.clone();
    headers.remove(name("y"));
    headers.set(name("x-only-in-clone"), "3");
    copy.add(name("z"), "4");
    expect(serialise(headers)).toBe("x-only-in-clone: 3\r\n");
    expect(serialise(copy)).toBe("x-only-in-clone: 1\r\ny: 2\r\nz: 4\r\n");
    expect(copy.get(name("x-only-in-clone"))).toBe("1");
  });

  it("has host for another name of :authority", () => {
    const headers = make([]);
    headers.set(H.host, "a");
    expect([headers.get(H.authority), headers.has(H.host), serialise(headers)]).toEqual(["a", true, ""]);
    headers.remove(H.authority);
    expect(headers.has(H.host)).toBe(false);
  });

  it("sums up names and values", () => {
    const headers = make([["abc", "de"]]);
    headers.add(name("f"), "g");
    headers.set(name("abc"), "def");
    expect(headers.byteSize).toBe(":status200abcdeffg".length);
  });
});

/** What a HeaderMap means, in its simplest form. */
class Model {
  fields: Field[];

  constructor(fields: Field[]) {
    this.fields = fields;
  }

  set(key: string, value: string): void {
    const at = this.fields.findIndex(([name]) => name === key);
    if (at < 0) {
      this.fields.push([key, value]);
      return;
    }
    this.fields = this.fields.flatMap((field, i): Field[] => {
      if (i === at) return [[key, value]];
      return field[0] === key ? [] : [field];
    });
  }

  remove(key: string): void {
    this.fields = this.fields.filter(([name]) => name !== key);
  }
}

it("means the same as a plain list of fields after any edits, wherever the fields come from", () => {
  const names = fc.constantFrom("a", "b", "x-one", "content-type", "server", ":status");
  const values = fc.string({ unit: fc.constantFrom("a", "B", "9", "-", ";x"), maxLength: 6 }).map((v) => v.trim());
  const initial = fc.array(
    fc.tuple(
      names.filter((n) => !n.startsWith(":")),
      values,
    ),
    { maxLength: 8 },
  );
  const edits = fc.array(fc.tuple(fc.constantFrom("set", "add", "remove", "clone"), names, values), { maxLength: 12 });
  fc.assert(
    fc.property(initial, edits, fc.constantFrom(...origins), (fields, operations, { make }) => {
      let headers = make(fields);
      const model = new Model([[":status", "200"], ...fields]);
      for (const [operation, key, value] of operations) {
        if (operation === "clone") {
          const before = headers;
          headers = headers.clone();
          before.remove(name(key));
        } else if (operation === "remove") {
          headers.remove(name(key));
          model.remove(key);
        } else if (operation === "set") {
          headers.set(name(key), value);
          model.set(key, value);
        } else {
          headers.add(name(key), value);
          model.fields.push([key, value]);
        }
      }
      const regular = model.fields.filter(([key]) => !key.startsWith(":"));
      expect(list(headers)).toEqual(model.fields);
      expect(serialise(headers)).toBe(regular.map(([key, value]) => `${key}: ${value}\r\n`).join(""));
      expect(headers.size).toBe(model.fields.length);
      expect(headers.byteSize).toBe(model.fields.flat().join("").length);
      for (const key of ["a", "b", "x-one", "content-type", ":status"]) {
        const all = model.fields.filter(([other]) => other === key).map(([, value]) => value);
        expect(headers.get(name(key))).toBe(all.length === 0 ? null : all.join(","));
        expect(headers.getFirst(name(key))).toBe(all[0] ?? null);
        expect(headers.firstLength(name(key))).toBe(all[0]?.length ?? -1);
      }
    }),
    { numRuns: 1000 },
  );
});

describe("HeaderName", () => {
  it("is one for each name, in any case", () => {
    expect(HeaderName.of("X-Request-ID")).toBe(H.xRequestId);
    expect(HeaderName.transient("x-REQUEST-id")).toBe(H.xRequestId);
  });

  it("is not remembered when it is transient", () => {
    const before = HeaderName.count;
    expect([HeaderName.transient("x-from-a-plugin").id, HeaderName.count]).toEqual([-1, before]);
  });

  it("is found by its bytes among thousands of others, also where hashes meet", () => {
    const names = Array.from({ length: 5000 }, (_, i) => name(`x-many-${i}`));
    const headers = received(names.slice(4000, 4080).map((one, i) => [one.text.toUpperCase(), String(i)]));
    for (let i = 0; i < 80; i++) expect(headers.get(names[4000 + i] as HeaderName)).toBe(String(i));
    expect(headers.get(names[0] as HeaderName)).toBeNull();
  });
});
