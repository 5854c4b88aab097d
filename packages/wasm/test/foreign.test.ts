import { createSign, generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { HttpContext } from "../src/contexts/http-context.ts";
import { bytesField, encodeFields, numberField, parseFields } from "../src/encoding/protobuf.ts";
import type { FakeHttpStream } from "../src/testing/index.ts";
import { type Guest, World } from "./guest.ts";

let world: World;
let guest: Guest;
let context: HttpContext;
let stream: FakeHttpStream;

beforeEach(async () => {
  world = new World();
  guest = await world.guest({}, "", { pages: "4" });
  ({ context, stream } = guest.http());
});

/** The result, or the status where it isn't Ok. */
function call(
  name: string,
  argument: string | Buffer = "",
  where: Parameters<Guest["inside"]>[0] = context,
): string | number {
  const text = typeof argument === "string" ? argument : argument.toString("latin1");
  return guest.inside(where, () => guest.ask("proxy_call_foreign_function", name, text));
}

test("an unknown name is NotFound; the proxy's own functions come first", () => {
  expect(call("nothing")).toBe(1);
  expect(call("constructor")).toBe(1);
  world.services.foreign.set("shout", (argument) => ({ status: 0, result: argument.toString().toUpperCase() }));
  expect(call("shout", "hey")).toBe("HEY");
});

test("results that nobody wants need no cells; a failed function still writes them", () => {
  guest.inside(context, () => {
    expect(guest.call("proxy_call_foreign_function", "compress", "aaaa", 0, 0)).toBe(0);
    expect(guest.call("proxy_call_foreign_function", "uncompress", "aaaa", 24, 28)).toBe(3);
    expect([guest.u32(24), guest.u32(28)]).toEqual([0, 0]);
  });
});

describe("compression", () => {
  test("2000 equal bytes become 23 and come back", () => {
    const compressed = call("compress", "x".repeat(2000));
    expect(compressed).toHaveLength(23);
    expect(call("uncompress", String(compressed))).toBe("x".repeat(2000));
  });

  test("garbage, and what would become too large", () => {
    expect(call("uncompress", "garbage")).toBe(3);
    const bomb = call("compress", "x".repeat(3000));
    guest.vm.limits = { ...guest.vm.limits, bodyBytes: 2999 };
    expect(call("uncompress", String(bomb))).toBe(3);
  });
});

describe("state", () => {
  test("clear_route_cache", () => {
    call("clear_route_cache");
    expect(stream.events).toEqual(["clear route"]);
  });

  test("a declared property keeps its span; a read-only one takes one write", () => {
    const declaration = encodeFields([
      [1, Buffer.from("once")],
      [2, true],
      [3, 1],
      [5, 2],
    ]);
    expect(call("declare_property", declaration, guest.root)).toBe("");
    expect(call("declare_property", declaration, guest.root)).toBe(2);
    const set = () => guest.inside(context, () => guest.call("proxy_set_property", "once", "value"));
    expect([set(), set()]).toEqual([0, 2]);
    expect(stream.state.get("wasm.once")).toEqual({ value: "value", span: "connection" });
    expect(call("declare_property", "\xff", guest.root)).toBe(2);
    expect(
      call(
        "declare_property",
        encodeFields([
          [1, Buffer.from("x")],
          [5, 3],
        ]),
        guest.root,
      ),
    ).toBe(2);
    expect(
      call(
        "declare_property",
        encodeFields([
          [1, Buffer.from("x")],
          [3, 4],
        ]),
        guest.root,
      ),
    ).toBe(2);
  });

  test("set_envoy_filter_state writes under its own name, on streams only", () => {
    const argument = encodeFields([
      [1, Buffer.from("envoy.tcp_proxy.cluster")],
      [2, Buffer.from("blue")],
      [3, 1],
    ]);
    expect(call("set_envoy_filter_state", argument)).toBe("");
    expect(stream.state.get("envoy.tcp_proxy.cluster")).toEqual({ value: "blue", span: "request" });
    expect(call("set_envoy_filter_state", argument, guest.root)).toBe(1);
    expect(call("set_envoy_filter_state", "\x07")).toBe(2);
  });
});

describe("expressions", () => {
  const token = (text: string) => String(call("expr_create", text));

  test("created, evaluated against the stream, deleted", () => {
    stream.attributes.request = { path: "/x" };
    expect(token("request.path")).toBe("\x01\0\0\0");
    expect(token("6 / 3")).toBe("\x02\0\0\0");
    expect(call("expr_evaluate", "\x01\0\0\0")).toBe("/x");
    expect(call("expr_evaluate", "\x02\0\0\0")).toBe("\x02\0\0\0\0\0\0\0");
    expect(call("expr_delete", "\x01\0\0\0")).toBe("");
    expect(call("expr_evaluate", "\x01\0\0\0")).toBe(1);
    expect(call("expr_delete", "\x63\0\0\0")).toBe("");
  });

  test("bad syntax, a failing evaluation, unknown tokens, wrong sizes, no value", () => {
    expect(call("expr_create", "1 +")).toBe(2);
    const zero = token("1 / 0");
    expect(call("expr_evaluate", zero)).toBe(10);
    expect(call("expr_evaluate", "\x09\0\0\0")).toBe(1);
    expect(call("expr_evaluate", "\x01")).toBe(2);
    expect(call("expr_delete", "")).toBe(2);
    expect(call("expr_evaluate", token("request.missing"))).toBe(3);
  });

  test("as many as are allowed", () => {
    guest.vm.limits = { ...guest.vm.limits, expressions: 2 };
    token("a");
    token("b");
    expect(call("expr_create", "c")).toBe(10);
    expect(guest.usage.hits("expressions")).toBe(1);
  });
});

describe("signatures", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const text = Buffer.from("what is signed");
  const signature = createSign("sha256").update(text).sign(privateKey);
  const der = publicKey.export({ type: "spki", format: "der" });
  const pem = Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
  const verdict = (answer: string | number) => {
    const fields = parseFields(Buffer.from(String(answer), "latin1")) ?? [];
    return [numberField(fields, 1) !== 0, bytesField(fields, 2).toString()];
  };
  const verify = (hash: string, key: Parameters<typeof encodeFields>[0], made: Buffer = signature) =>
    call("verify_signature", encodeFields([[1, Buffer.from(hash)], ...key, [3, made], [4, text]]));

  test("good ones in both forms of the key", () => {
    expect(verdict(verify("sha256", [[2, der]]))).toEqual([true, ""]);
    expect(verdict(verify("sha256", [[5, pem]]))).toEqual([true, ""]);
  });

  test("wrong ones and unknown hashes are a verdict, not a status", () => {
    expect(verdict(verify("sha512", [[2, der]]))[0]).toBe(false);
    expect(verdict(verify("sha256", [[2, der]], Buffer.from("no")))[0]).toBe(false);
    expect(verdict(verify("md5", [[2, der]]))).toEqual([false, "md5 is not supported."]);
    expect(verdict(verify("sha256", [[2, Buffer.from("no key")]]))[0]).toBe(false);
  });

  test("no key, two keys, no message", () => {
    expect(verify("sha256", [])).toBe(2);
    expect(
      verify("sha256", [
        [2, der],
        [5, pem],
      ]),
    ).toBe(2);
    expect(call("verify_signature", "\xff")).toBe(2);
  });

  test("sign makes what verify accepts, in the three forms of a key", () => {
    const forms: Parameters<typeof encodeFields>[0] = [
      [2, privateKey.export({ type: "pkcs8", format: "der" })],
      [2, privateKey.export({ type: "pkcs1", format: "der" })],
      [4, Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" }))],
    ];
    for (const key of forms) {
      const answer = call("sign", encodeFields([[1, Buffer.from("sha256")], key, [3, text]]));
      const fields = parseFields(Buffer.from(String(answer), "latin1")) ?? [];
      expect(numberField(fields, 1)).toBe(1);
      expect(verdict(verify("sha256", [[2, der]], bytesField(fields, 2)))).toEqual([true, ""]);
    }
    const refused = call(
      "sign",
      encodeFields([
        [1, Buffer.from("sha256")],
        [2, Buffer.from("no")],
        [3, text],
      ]),
    );
    expect(numberField(parseFields(Buffer.from(String(refused), "latin1")) ?? [], 1)).toBe(0);
  });
});
