import { describe, expect, it } from "vitest";
import { FakeRoot } from "../testing/fake-root.ts";
import { FakeStream } from "../testing/fake-stream.ts";
import { RootContext, StreamContext } from "./context.ts";
import { HeaderName, HeaderValue, Property, StateName } from "./names.ts";
import { toBytes, toInt, toText } from "./numbers.ts";
import { TupleTable } from "./tuple-table.ts";

class PlainStream extends StreamContext {}

class PlainRoot extends RootContext {
  override createStream(host: FakeStream): StreamContext {
    return new PlainStream(host);
  }
}

describe("names", () => {
  it("share a slot exactly if they are equal", () => {
    expect(new Property(["a", "b"]).slot).toBe(new Property(["a", "b"]).slot);
    expect(new Property(["a.b"]).slot).not.toBe(new Property(["a", "b"]).slot);
    expect(new HeaderName("X-Foo").slot).toBe(new HeaderName("x-foo").slot);
    expect(new HeaderName("X-Foo").name).toBe("x-foo");
    expect(new StateName("x").slot).toBe(new StateName("x").slot);
  });

  it("encode a header value byte by byte", () => {
    expect([...new HeaderValue("a\u00ff").bytes]).toEqual([0x61, 0xff]);
  });
});

describe("numbers", () => {
  it.each([
    [3.7, 3],
    [-3.7, -3],
    [Number.NaN, 0],
    [2 ** 40, 2147483647],
    [-(2 ** 40), -2147483648],
    [Number.POSITIVE_INFINITY, 2147483647],
  ])("toInt(%d) is %d", (x, expected) => {
    expect(toInt(x)).toBe(expected);
  });

  it("turn byte strings into bytes and back", () => {
    expect([...toBytes("a\0\u00ff")]).toEqual([0x61, 0, 0xff]);
    expect(toText(toBytes("xa\0\u00ffy").subarray(1), 0, 3)).toBe("a\0\u00ff");
  });
});

describe("expressions", () => {
  const root = new FakeRoot({ attributes: {}, expressions: { "a +": null, "a + b": () => "sum" } });
  const context = new PlainRoot(root);
  const stream = new PlainStream(new FakeStream({}, { attributes: { response: { code: 200 }, ok: true } }));

  it("read one attribute, printed as CEL prints it", () => {
    expect(stream.evaluate(context.expression("response.code") as never)).toBe("200");
    expect(stream.evaluate(context.expression("ok") as never)).toBe("true");
    expect(stream.evaluate(context.expression("response.flags") as never)).toBeNull();
  });

  it("are the host's business", () => {
    expect(context.expression("a +")).toBeNull();
    expect(stream.evaluate(context.expression("a + b") as never)).toBe("sum");
  });
});

describe("TupleTable", () => {
  const name = new Property(["name"]);
  const state = new StateName("state");
  const fake = new FakeStream({});
  const stream = new PlainStream(fake);

  function search(table: TupleTable<string>, text: string | null, n: number): string | null {
    fake.attributes = text === null ? {} : { name: text };
    table.begin();
    table.addString(stream, name);
    table.addState(stream, state);
    table.addNumber(n);
    return table.find();
  }

  it("finds a record by all values, absent and empty being different", () => {
    const table = new TupleTable<string>(10);
    expect(search(table, "a", 1)).toBeNull();
    table.put("a1");
    expect(search(table, "", 1)).toBeNull();
    table.put("empty");
    expect(search(table, null, 1)).toBeNull();
    table.put("absent");
    expect(search(table, "a", 1)).toBe("a1");
    expect(search(table, "", 1)).toBe("empty");
    expect(search(table, null, 1)).toBe("absent");
    expect(search(table, "a", 2)).toBeNull();
    expect(table.size).toBe(3);
  });

  it("shows the values of the last search and what was there", () => {
    const table = new TupleTable<string>(10);
    fake.attributes = { name: "a" };
    table.begin();
    expect(table.addString(stream, name)).toBe(true);
    expect(table.addText("")).toBe(false);
    expect(table.addText(null)).toBe(false);
    table.addNumber(5);
    table.back(2);
    expect(table.addText("b")).toBe(true);
    expect([table.text(0), table.text(1), table.text(2)]).toEqual(["a", "", "b"]);
  });

  it("forgets everything rather than grow beyond its capacity", () => {
    const table = new TupleTable<string>(3);
    for (let i = 0; i < 4; i++) {
      expect(search(table, "a", i)).toBeNull();
      table.put(`a${i}`);
    }
    expect(table.size).toBe(1);
    expect(search(table, "a", 3)).toBe("a3");
    expect(search(table, "a", 0)).toBeNull();
  });
});
