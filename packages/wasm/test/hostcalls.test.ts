import { beforeEach, describe, expect, test } from "vitest";
import type { HttpContext } from "../src/contexts/http-context.ts";
import { encodePairs, parsePairs } from "../src/encoding/pairs.ts";
import { Double } from "../src/index.ts";
import { FakeHttpStream, GET } from "../src/testing/index.ts";
import { type Guest, World } from "./guest.ts";

/** Keeps header maps within reach. */
const PAUSING = `
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 4))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 4))`;

let world: World;
let guest: Guest;
let context: HttpContext;
let stream: FakeHttpStream;

async function begin(...args: Parameters<World["guest"]> | []): Promise<void> {
  guest = await world.guest(args[0] ?? {}, args[1] ?? PAUSING, args[2]);
  ({ context, stream } = guest.http(new FakeHttpStream([...GET, ["x-two", "a"], ["x-two", "b"]])));
}

beforeEach(async () => {
  world = new World();
  await begin();
});

const pairs = (text: string | number) => parsePairs(Buffer.from(String(text), "latin1"));
const inside = <T>(script: () => T) => guest.inside(context, script);

describe("headers", () => {
  const value = (name: string) => inside(() => guest.ask("proxy_get_header_map_value", 0, name));

  test("the first value of a name, in any case; NotFound without", () => {
    expect(value("x-two")).toBe("a");
    expect(value("X-Two")).toBe("a");
    expect(value(":authority")).toBe("example.com");
    expect(value("x-none")).toBe(1);
  });

  test("ABI 0.1.0 gets an empty value for a missing header", async () => {
    await begin({}, PAUSING, { abi: "0_1_0" });
    expect(value("x-none")).toBe("");
  });

  test("pairs repeat repeated names, in order", () => {
    const all = inside(() => guest.ask("proxy_get_header_map_pairs", 0));
    expect(pairs(all)).toEqual([...GET, ["x-two", "a"], ["x-two", "b"]]);
    expect(inside(() => guest.ask("proxy_get_header_map_pairs", 2))).toBe("");
  });

  test("add, replace, remove; the route is chosen anew", () => {
    inside(() => {
      expect(guest.call("proxy_add_header_map_value", 0, "X-Two", "c")).toBe(0);
      expect(guest.call("proxy_replace_header_map_value", 0, ":path", "/other")).toBe(0);
      expect(guest.call("proxy_replace_header_map_value", 0, "x-new", "n")).toBe(0);
      expect(guest.call("proxy_remove_header_map_value", 0, "x-absent")).toBe(0);
    });
    expect(
      stream
        .headers(0)
        ?.list.slice(-4)
        .map(([, text]) => text),
    ).toEqual(["a", "b", "c", "n"]);
    inside(() => guest.call("proxy_remove_header_map_value", 0, "X-TWO"));
    expect(stream.headers(0)?.list).toEqual([
      [":method", "GET"],
      [":path", "/other"],
      [":authority", "example.com"],
      [":scheme", "http"],
      ["x-new", "n"],
    ]);
    // Once for each of the two callbacks.
    expect(stream.events.filter((event) => event === "clear route")).toHaveLength(2);
  });

  test("set_pairs replaces everything; malformed bytes are an empty list", () => {
    const list = encodePairs([
      [":path", "/"],
      ["X-Foo", "\0\xff"],
    ]);
    inside(() => expect(guest.call("proxy_set_header_map_pairs", 0, list)).toBe(0));
    expect(stream.headers(0)?.list).toEqual([
      [":path", "/"],
      ["x-foo", "\0\xff"],
    ]);
    inside(() => expect(guest.call("proxy_set_header_map_pairs", 0, "\x01\0\0\0")).toBe(0));
    expect(stream.headers(0)?.list).toEqual([]);
  });

  test("size in bytes", () => {
    expect(inside(() => guest.call("proxy_get_header_map_size", 0, 8))).toBe(0);
    expect(guest.u32(8)).toBe(stream.headers(0)?.byteSize);
    expect(inside(() => guest.call("proxy_get_header_map_size", 4, 8))).toBe(2);
  });

  test("maps that aren't attached, calls' maps, numbers that are no map", () => {
    inside(() => {
      expect(guest.ask("proxy_get_header_map_value", 2, "a")).toBe(2);
      expect(guest.call("proxy_add_header_map_value", 2, "a", "b")).toBe(2);
      expect(guest.call("proxy_add_header_map_value", 6, "a", "b")).toBe(2);
      expect(guest.call("proxy_remove_header_map_value", 8, "a")).toBe(2);
      expect(guest.ask("proxy_get_header_map_pairs", -1)).toBe(2);
    });
  });

  test("what a plugin may add to a stream's headers is bounded and counted", async () => {
    await begin({ limits: { headerGrowth: 200 } });
    const add = () => inside(() => guest.call("proxy_add_header_map_value", 0, "x", "y".repeat(50)));
    expect([add(), add(), add()]).toEqual([0, 0, 10]);
    expect(inside(() => guest.call("proxy_set_header_map_pairs", 0, "z".repeat(300)))).toBe(10);
    expect(guest.usage.hits("headerGrowth")).toBe(2);
  });
});

describe("pairs", () => {
  test("a round trip keeps every byte", () => {
    const list = [
      ["", ""],
      ["a\0b", "\0"],
      ["\xff", "x".repeat(1000)],
    ] as const;
    expect(parsePairs(Buffer.from(encodePairs(list), "latin1"))).toEqual(list);
  });

  test("truncation, wrong counts and terminators, bytes left over give an empty list", () => {
    const good = Buffer.from(
      encodePairs([
        ["name", "value"],
        ["n", "v"],
      ]),
      "latin1",
    );
    for (let end = 0; end < good.length; end++) expect(parsePairs(good.subarray(0, end)), `${end}`).toEqual([]);
    expect(parsePairs(Buffer.concat([good, Buffer.from("x")]))).toEqual([]);
    for (const [at, byte] of [
      [0, 0xff],
      [3, 0xff],
      [4, 9],
      [good.length - 1, 1],
      [24, 1],
    ] as const) {
      const changed = Buffer.from(good);
      changed[at] = byte;
      expect(parsePairs(changed), `byte ${at}`).toEqual([]);
    }
    expect(parsePairs(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toEqual([]);
    expect(parsePairs(Buffer.alloc(1024 * 1024 + 1))).toEqual([]);
  });
});

describe("properties", () => {
  const property = (path: string, where: Parameters<Guest["inside"]>[0] = context) =>
    guest.inside(where, () => guest.ask("proxy_get_property", path));

  test("each kind of value has its bytes", () => {
    Object.assign(stream.attributes, {
      text: "caf\xe9",
      int: 3_333_333_333,
      negative: -2,
      big: 2n ** 63n - 1n,
      double: new Double(0.5),
      yes: true,
      no: false,
      bytes: Buffer.from([0, 1]),
      nothing: null,
      map: { b: "1", a: { deep: true } },
      list: ["x", "y"],
      empty: {},
    });
    const hex = (path: string) => Buffer.from(String(property(path)), "latin1").toString("hex");
    expect(property("text")).toBe("caf\xe9");
    expect(hex("int")).toBe("55a1aec600000000");
    expect(hex("negative")).toBe("feffffffffffffff");
    expect(hex("big")).toBe("ffffffffffffff7f");
    expect(hex("double")).toBe("000000000000e03f");
    expect(hex("yes") + hex("no") + hex("bytes")).toBe("01000001");
    expect(property("nothing")).toBe(3);
    expect(pairs(property("map"))).toEqual([
      ["b", "1"],
      ["a", encodePairs([["deep", "\x01"]])],
    ]);
    expect(pairs(property("list"))).toEqual([
      ["x", ""],
      ["y", ""],
    ]);
    expect(property("empty")).toBe("");
  });

  test("paths go into maps and lists; dots belong to a segment", () => {
    stream.attributes.metadata = { "envoy.filters.http.wasm": { list: ["zero"], n: 1.5 } };
    expect(property("metadata\0envoy.filters.http.wasm\0list\0" + "0")).toBe("zero");
    for (const bad of ["bad_key", "1", "-1", "00", ""]) {
      expect(property(`metadata\0envoy.filters.http.wasm\0list\0${bad}x`), bad).toBe(1);
    }
    expect(property("metadata\0envoy.filters.http.wasm\0n")).toBe("\0\0\0\0\0\0\xf8\x3f");
    expect(property("unknown")).toBe(1);
    expect(property("node\0id")).toBe("node-1");
    expect(property("node\0id\0")).toBe("node-1");
  });

  test("the plugin's own names, empty ones among them, in root contexts too", async () => {
    await begin({ rootId: "root", vmId: "" });
    expect(property("plugin_name")).toBe("test");
    expect(property("plugin_root_id", guest.root)).toBe("root");
    expect(property("plugin_vm_id")).toBe("");
  });

  test("set_property is read back by its name; built-in names win; root contexts have none", () => {
    const set = (name: string, value: string) => inside(() => guest.call("proxy_set_property", name, value));
    expect(set("mine", "one")).toBe(0);
    expect(property("mine")).toBe("one");
    expect(set("node", "fake")).toBe(0);
    expect(property("node\0id")).toBe("node-1");
    expect(stream.state.get("wasm.mine")).toEqual({ value: "one", span: "filterChain" });
    expect(guest.inside(guest.root, () => guest.call("proxy_set_property", "mine", "x"))).toBe(1);
    expect(property("mine", guest.root)).toBe(1);
  });
});

describe("general calls", () => {
  test("log levels, and messages with their context in front", () => {
    inside(() => {
      expect(guest.call("proxy_log", 6, "no")).toBe(2);
      expect(guest.call("proxy_log", -1, "no")).toBe(2);
      expect(guest.call("proxy_log", 5, "caf\xc3\xa9")).toBe(0);
    });
    guest.inside(guest.root, () => guest.call("proxy_log", 2, "root"));
    expect(world.services.entries.map(({ level, text }) => [level, text])).toEqual([
      [5, "wasm log test: café"],
      [2, "wasm log: root"],
    ]);
  });

  test("messages below the level are not logged; the level can be asked for", () => {
    world.services.level = 3;
    inside(() => {
      guest.call("proxy_log", 2, "quiet");
      guest.call("proxy_log", 3, "loud");
      expect(guest.call("proxy_get_log_level", 8)).toBe(0);
    });
    expect(guest.u32(8)).toBe(3);
    expect(world.services.texts()).toEqual(["wasm log test: loud"]);
  });

  test("time is the clock's", () => {
    inside(() => guest.call("proxy_get_current_time_nanoseconds", 8));
    expect(guest.u64(8)).toBe(BigInt(world.services.clock.now()) * 1_000_000n);
  });

  test("the effective context: unknown ids refused, 0 goes back, the setting ends with the call", () => {
    guest.inside(guest.root, () => {
      expect(guest.call("proxy_set_effective_context", 99)).toBe(2);
      expect(guest.call("proxy_set_effective_context", context.id)).toBe(0);
      expect(guest.ask("proxy_get_header_map_value", 0, "x-two")).toBe("a");
      expect(guest.call("proxy_set_effective_context", 0)).toBe(0);
      expect(guest.ask("proxy_get_header_map_value", 0, "x-two")).toBe(2);
      guest.call("proxy_set_effective_context", context.id);
    });
    expect(guest.inside(guest.root, () => guest.ask("proxy_get_header_map_value", 0, "x-two"))).toBe(2);
  });

  test("done without anything pending, status before any call", () => {
    inside(() => {
      expect(guest.call("proxy_done")).toBe(1);
      expect(guest.call("proxy_get_status", 8, 16, 20)).toBe(0);
    });
    expect([guest.u32(8), guest.given()]).toEqual([0, ""]);
    expect(guest.call("pthread_equal", 3, 3) + guest.call("pthread_equal", 3, 4)).toBe(1);
  });
});

describe("metrics", () => {
  const define = (kind: number, name: string) =>
    inside(() => {
      expect(guest.call("proxy_define_metric", kind, name, 8)).toBe(0);
      return guest.u32(8);
    });
  const get = (id: number) => inside(() => guest.call("proxy_get_metric", id, 8)) || guest.u64(8);

  test("ids carry the kind; the same name again is a new id for the same series", () => {
    expect([define(0, "c"), define(1, "g"), define(2, "h"), define(0, "c")]).toEqual([4, 5, 6, 8]);
    inside(() => guest.call("proxy_increment_metric", 4, 2n));
    expect(get(8)).toBe(2n);
    expect(inside(() => guest.call("proxy_define_metric", 3, "x", 8))).toBe(2);
  });

  test("a counter: increment 1, record 1, record 3 reads 1, 2, 5; nothing below 1 is added", () => {
    const id = define(0, "c");
    inside(() => guest.call("proxy_increment_metric", id, 1n));
    expect(get(id)).toBe(1n);
    inside(() => guest.call("proxy_record_metric", id, 1n));
    inside(() => guest.call("proxy_record_metric", id, 3n));
    expect(get(id)).toBe(5n);
    expect(inside(() => guest.call("proxy_increment_metric", id, 0n))).toBe(2);
    expect(inside(() => guest.call("proxy_increment_metric", id, -1n))).toBe(2);
  });

  test("a gauge goes up and down; a histogram only records", () => {
    const gauge = define(1, "g");
    const histogram = define(2, "h");
    inside(() => {
      guest.call("proxy_record_metric", gauge, 2n);
      guest.call("proxy_increment_metric", gauge, -5n);
      expect(guest.call("proxy_record_metric", histogram, 7n)).toBe(0);
      expect(guest.call("proxy_increment_metric", histogram, 1n)).toBe(2);
      expect(guest.call("proxy_get_metric", histogram, 8)).toBe(2);
      expect(guest.call("proxy_get_metric", 400, 8)).toBe(1);
      expect(guest.call("proxy_record_metric", 0, 1n)).toBe(1);
    });
    expect(BigInt.asIntN(64, get(gauge) as bigint)).toBe(-3n);
    expect(world.metrics.text()).toContain("h_sum 7");
  });

  test("names become labels once, when they are defined", () => {
    const id = define(0, "response_code=.=200;.;reporter=.=a.b=c;.;istio_requests_total");
    inside(() => guest.call("proxy_increment_metric", id, 3n));
    expect(world.metrics.text()).toContain('istio_requests_total{response_code="200",reporter="a.b=c"} 3');
  });

  test("beyond the limit all go to one that nobody sees, and the call is still Ok", async () => {
    await begin({ limits: { metrics: 2 } });
    define(0, "a");
    define(0, "b");
    const [third, fourth] = [define(0, "c"), define(0, "d")];
    expect(third).toBe(fourth);
    expect(inside(() => guest.call("proxy_increment_metric", third, 1n))).toBe(0);
    expect(world.metrics.text()).not.toMatch(/^[cd] /m);
    expect(guest.usage.hits("metrics")).toBe(2);
  });

  test("a name that another type has, or that begins with a digit, is counted but not shown", () => {
    define(0, "taken");
    const clash = define(1, "taken");
    const digit = define(0, "9lives");
    inside(() => guest.call("proxy_record_metric", clash, 4n));
    inside(() => guest.call("proxy_increment_metric", digit, 1n));
    expect([get(clash), get(digit)]).toEqual([4n, 1n]);
    expect(world.services.texts(3)[0]).toContain("taken is a counter already");
    expect(world.metrics.text()).not.toContain("lives");
  });
});

describe("shared data", () => {
  const set = (key: string, value: string, cas: number, who = guest) =>
    who.inside(who.root, () => who.call("proxy_set_shared_data", key, value, cas));
  const get = (key: string, who = guest) => who.inside(who.root, () => who.askShared(key));

  test("numbers count up; a store with another number changes nothing", () => {
    expect(get("k")).toBe(1);
    expect(set("k", "one", 0)).toBe(0);
    expect(get("k")).toEqual(["one", 1]);
    expect(set("k", "two", 1)).toBe(0);
    expect(set("k", "three", 1)).toBe(8);
    expect(get("k")).toEqual(["two", 2]);
    expect(set("absent", "x", 77)).toBe(0);
    expect(set("k", "", 0)).toBe(0);
    expect(get("k")).toEqual(["", 4]);
  });

  test("a vm_id is a world of its own, and it ends with its last VM", async () => {
    const [one, twin, other] = [
      await world.guest({ vmId: "v", configuration: Buffer.from("1") }, ""),
      await world.guest({ vmId: "v", vmConfiguration: Buffer.from("2") }, ""),
      await world.guest({ vmId: "w" }, ""),
    ];
    set("k", "shared", 0, one);
    expect(get("k", twin)).toEqual(["shared", 1]);
    expect(get("k", other)).toBe(1);
    one.release();
    expect(get("k", twin)).toEqual(["shared", 1]);
    twin.release();
    expect(get("k", await world.guest({ vmId: "v" }, ""))).toBe(1);
  });

  test("bytes and keys are bounded", async () => {
    await begin({ vmId: "small", limits: { sharedDataBytes: 20, sharedDataKeys: 2 } });
    expect(set("a", "x".repeat(10), 0)).toBe(0);
    expect(set("b", "x".repeat(10), 0)).toBe(10);
    expect([set("a", "", 0), set("b", "", 0), set("c", "", 0)]).toEqual([0, 0, 10]);
    expect(guest.usage.hits("sharedDataBytes")).toBe(2);
  });
});

describe("shared queues", () => {
  const token = (name: string, ...args: string[]) => {
    const status = guest.inside(guest.root, () => guest.call(name, ...args, 8));
    return status === 0 ? guest.u32(8) : -status;
  };

  test("tokens, order, empty and unknown queues", () => {
    expect([token("proxy_register_shared_queue", "a"), token("proxy_register_shared_queue", "b")]).toEqual([1, 2]);
    expect(token("proxy_register_shared_queue", "a")).toBe(1);
    expect(token("proxy_resolve_shared_queue", "", "b")).toBe(2);
    expect(token("proxy_resolve_shared_queue", "elsewhere", "b")).toBe(-1);
    inside(() => {
      expect(guest.call("proxy_enqueue_shared_queue", 1, "one")).toBe(0);
      expect(guest.call("proxy_enqueue_shared_queue", 1, "two")).toBe(0);
      expect(guest.call("proxy_enqueue_shared_queue", 9, "x")).toBe(1);
      expect(guest.ask("proxy_dequeue_shared_queue", 1)).toBe("one");
      expect(guest.ask("proxy_dequeue_shared_queue", 1)).toBe("two");
      expect(guest.ask("proxy_dequeue_shared_queue", 1)).toBe(7);
      expect(guest.ask("proxy_dequeue_shared_queue", 9)).toBe(1);
    });
  });

  test("the owner in another VM is told in a later turn, once per item", async () => {
    const body = `(global $seen (mut i32) (i32.const 0)) (export "seen" (global $seen))
      (func (export "proxy_on_queue_ready") (param i32 i32)
        (drop (call $proxy_log (i32.const 2) (i32.const 0) (local.get 1))))`;
    const owner = await world.guest({ name: "owner", vmId: "v" }, body);
    owner.inside(owner.root, () => owner.call("proxy_register_shared_queue", "q", 8));
    const queue = owner.u32(8);
    const sender = await world.guest({ vmId: "other" }, PAUSING);
    const { context: sending } = sender.http();
    sender.inside(sending, () => {
      expect(sender.call("proxy_resolve_shared_queue", "v", "q", 8)).toBe(0);
      sender.call("proxy_enqueue_shared_queue", queue, "1");
      sender.call("proxy_enqueue_shared_queue", queue, "2");
    });
    expect(world.services.entries).toHaveLength(0);
    world.services.clock.advance(1);
    expect(world.services.entries).toHaveLength(2);
  });

  test("a full queue loses its oldest items, and that is counted", async () => {
    await begin({ vmId: "small", limits: { queueBytes: 200, queues: 1 } });
    const own = token("proxy_register_shared_queue", "q");
    expect(token("proxy_register_shared_queue", "second")).toBe(-10);
    inside(() => {
      for (let i = 0; i < 5; i++) guest.call("proxy_enqueue_shared_queue", own, `${i}`.repeat(30));
      expect(guest.ask("proxy_dequeue_shared_queue", own)).toBe("2".repeat(30));
    });
    expect(guest.usage.hits("queueBytes")).toBe(2);
  });
});
