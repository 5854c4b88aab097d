import { describe, expect, it } from "vitest";
import { type Asked, createClientDriver } from "../../test/client-driver.ts";
import { CDS, EDS, LDS, RDS } from "../../test/resources.ts";

function only(asked: Asked[]): Asked {
  expect(asked).toHaveLength(1);
  return asked[0] as Asked;
}

const types = (asked: Asked[]) => asked.map(({ typeUrl }) => typeUrl);

describe.each(["delta", "sotw"] as const)("a client's protocol (%s)", (mode) => {
  function connected(...wanted: [string, Set<string> | "*"][]) {
    const client = createClientDriver(mode);
    for (const [typeUrl, names] of wanted) client.want(typeUrl, names);
    client.connect();
    return client;
  }

  it("asks when a stream opens, in push order, for what is wanted; for nothing before", () => {
    const client = createClientDriver(mode);
    expect(client.want(LDS, "*")).toEqual([]);
    expect(client.want(EDS, new Set(["a"]))).toEqual([]);
    expect(client.want(RDS, new Set())).toEqual([]);
    expect(client.want(CDS, "*")).toEqual([]);
    const asked = client.connect();
    expect(types(asked)).toEqual([CDS, EDS, LDS]);
    expect(asked[1]?.names).toEqual(["a"]);
    expect(asked.every(({ nonce }) => nonce === "")).toBe(true);
  });

  it("answers a response that was taken with its nonce", () => {
    const client = connected([CDS, "*"]);
    expect(only(client.respond(CDS, "n1", { a: "1" }))).toMatchObject({ typeUrl: CDS, nonce: "n1", error: null });
    expect(client.held.get("a")).toBe("1");
    expect(client.protocol.subscriptions.get(CDS)?.acceptedVersion).toBe("system n1");
  });

  it("refuses by resource, field and reason, several in one text, and keeps the good ones of the update", () => {
    const client = connected([CDS, "*"]);
    client.refused.set("bad", "lb_policy: unknown");
    client.refused.set("worse", "type: 99");
    const { nonce, error } = only(client.respond(CDS, "n1", { a: "bad", b: "good", c: "worse" }));
    expect([nonce, error]).toEqual(["n1", "a: lb_policy: unknown\nc: type: 99"]);
    expect([...client.held]).toEqual([["b", "good"]]);
    const { known, lastError } = client.protocol.subscriptions.get(CDS) ?? {};
    expect([...(known?.keys() ?? [])]).toEqual(["b"]);
    expect(lastError).toBe(error);
  });

  it("forgets a refusal once a response is taken in full", () => {
    const client = connected([CDS, "*"]);
    client.refused.set("bad", "no");
    client.respond(CDS, "n1", { a: "bad" });
    client.respond(CDS, "n2", { a: "good" });
    expect(client.protocol.subscriptions.get(CDS)?.lastError).toBeNull();
  });

  it("refuses everything, and goes on, when the handler throws", () => {
    const client = connected([CDS, "*"]);
    client.onUpdate = () => {
      throw new Error("bug");
    };
    expect(only(client.respond(CDS, "n1", { a: "1" })).error).toContain("a: internal error: bug");
    client.onUpdate = () => {};
    expect(only(client.respond(CDS, "n2", { a: "1" })).error).toBeNull();
    expect(only(client.want(EDS, new Set(["a"]))).names).toEqual(["a"]);
  });

  it("sends subscriptions made during an update as one request, after the answer", () => {
    const client = connected([CDS, "*"]);
    client.onUpdate = ({ typeUrl }) => {
      if (typeUrl !== CDS) return;
      expect(client.want(EDS, new Set(["a"]))).toEqual([]);
      expect(client.want(EDS, new Set(["a", "b"]))).toEqual([]);
      client.want(LDS, "*");
    };
    const asked = client.respond(CDS, "n1", { a: "1", b: "1" });
    expect(types(asked)).toEqual([CDS, EDS, LDS]);
    expect(asked[0]).toMatchObject({ nonce: "n1" });
    expect(asked[1]?.names).toEqual(["a", "b"]);
  });

  it("says nothing when what is wanted stays as it is", () => {
    const client = connected([EDS, new Set(["a"])]);
    expect(client.want(EDS, new Set(["a"]))).toEqual([]);
    expect(client.want(CDS, new Set())).toEqual([]);
  });

  it("is not fooled by a set that its owner changes later", () => {
    const client = connected();
    const names = new Set(["a"]);
    client.want(EDS, names);
    names.add("b");
    expect(client.want(EDS, names)).toHaveLength(1);
  });

  it("does not hand over what is no longer wanted, but answers", () => {
    const client = connected([EDS, new Set(["a", "b"])]);
    client.want(EDS, new Set(["b"]));
    expect(only(client.respond(EDS, "n1", { a: "1", b: "1" })).nonce).toBe("n1");
    expect([...client.held.keys()]).toEqual(["b"]);
  });

  it("ignores a type that was never asked for", () => {
    expect(connected([CDS, "*"]).respond(LDS, "n1", { a: "1" })).toEqual([]);
  });

  it("keeps everything while there is no stream, and asks again on the next one", () => {
    const client = connected([CDS, "*"], [EDS, new Set(["a"])]);
    client.respond(CDS, "n1", { a: "1" });
    client.respond(EDS, "n2", { a: "10.0.0.1" });
    client.disconnect();
    expect(client.held.size).toBe(1);
    expect(client.want(RDS, new Set(["80"]))).toEqual([]);
    const asked = client.connect();
    expect(types(asked)).toEqual([CDS, EDS, RDS]);
    expect(asked.map(({ nonce }) => nonce)).toEqual(["", "", ""]);
    const versions =
      mode === "delta"
        ? [{ a: "of 1" }, { a: "of 10.0.0.1" }, {}]
        : [{ "": "system n1" }, { "": "system n2" }, { "": "" }];
    expect(asked.map((request) => request.versions)).toEqual(versions);
  });

  it("quotes the version that it accepted, not the one that it refused", () => {
    const client = connected([CDS, "*"]);
    client.respond(CDS, "n1", { a: "1" });
    client.refused.set("bad", "no");
    const refused = only(client.respond(CDS, "n2", { a: "bad" }));
    if (mode === "sotw") expect(refused.versions).toEqual({ "": "system n1" });
    client.disconnect();
    const [again] = client.connect();
    expect(again?.versions).toEqual(mode === "delta" ? { a: "of 1" } : { "": "system n1" });
  });

  it("asks anew for a name that was given up and wanted again before the server heard of it", () => {
    const client = connected([CDS, "*"], [RDS, new Set(["a", "b"])]);
    client.respond(RDS, "n1", { a: "1", b: "1" });
    client.onUpdate = ({ typeUrl }) => {
      if (typeUrl !== CDS) return;
      client.want(RDS, new Set(["b"]));
      client.want(RDS, new Set(["a", "b"]));
    };
    const asked = client.respond(CDS, "n2", {}).slice(1);
    // Delta: subscribing again has it sent again. Otherwise the server is silent unless the name was away.
    expect(asked.map(({ names }) => names)).toEqual(mode === "delta" ? [["a"]] : [["b"], ["a", "b"]]);
  });

  it("takes in resources of an earlier run, and tells nobody", () => {
    const client = createClientDriver(mode);
    client.want(EDS, new Set(["a"]));
    const any = { typeUrl: EDS, value: Uint8Array.of(10, 1, 97) } as never;
    client.restore({
      typeUrl: EDS,
      systemVersion: "cache",
      resources: [{ name: "a", version: "v", any }],
      removed: [],
    });
    expect(client.updates).toHaveLength(1);
    expect(client.protocol.subscriptions.get(EDS)?.known.get("a")).toBe("v");
    expect(only(client.connect()).versions).toEqual(mode === "delta" ? { a: "v" } : { "": "" });
  });

  it("refuses a resource of another type", () => {
    const client = connected([CDS, "*"]);
    const any = { typeUrl: LDS, value: Uint8Array.of(10, 1, 97) };
    const response =
      mode === "delta"
        ? { resources: [{ name: "a", version: "1", resource: any }], removedResources: [], systemVersionInfo: "1" }
        : { resources: [any], versionInfo: "1" };
    const [answer] = client.protocol.received({ typeUrl: CDS, nonce: "n1", ...response });
    expect(answer).toMatchObject({ errorDetail: { message: `a: resource: is a ${LDS}, not a ${CDS}` } });
    expect(client.updates[0]?.resources).toEqual([]);
  });
});

describe("delta, client side", () => {
  it("tells only what changed of what is wanted", () => {
    const client = createClientDriver("delta");
    client.want(EDS, new Set(["a", "b"]));
    client.connect();
    expect(only(client.want(EDS, new Set(["b", "c"])))).toMatchObject({ names: ["c"], gone: ["a"] });
    expect(only(client.want(EDS, new Set()))).toMatchObject({ names: [], gone: ["b", "c"] });
  });

  it("asks for everything by the name *, and can take that back", () => {
    const client = createClientDriver("delta");
    client.want(CDS, "*");
    expect(only(client.connect()).names).toEqual(["*"]);
    expect(only(client.want(CDS, new Set(["a"])))).toMatchObject({ names: ["a"], gone: ["*"] });
  });

  it("hands over removals, also of names that were asked for and never existed", () => {
    const client = createClientDriver("delta");
    client.want(CDS, "*");
    client.want(EDS, new Set(["none"]));
    client.connect();
    client.respond(CDS, "n1", { a: "1", b: "1" });
    client.respond(CDS, "n2", {}, ["a", "never heard of"]);
    client.respond(EDS, "n3", {}, ["none"]);
    expect(client.updates.map(({ removed }) => removed)).toEqual([[], ["a"], ["none"]]);
    expect([...(client.protocol.subscriptions.get(CDS)?.known.keys() ?? [])]).toEqual(["b"]);
  });

  it("takes a heartbeat for no change", () => {
    const client = createClientDriver("delta");
    client.want(CDS, "*");
    client.connect();
    client.respond(CDS, "n1", { a: "1" });
    const heartbeat = { typeUrl: CDS, nonce: "n2", systemVersionInfo: "", removedResources: [] };
    client.protocol.received({ ...heartbeat, resources: [{ name: "a", version: "of 1" }] });
    expect(client.held.get("a")).toBe("1");
  });

  it("refuses a name that comes twice in one response, and takes the first", () => {
    const client = createClientDriver("delta");
    client.want(CDS, "*");
    client.connect();
    const entry = { name: "a", version: "1", resource: { typeUrl: CDS, value: Uint8Array.of(10, 1, 97) } };
    const response = {
      typeUrl: CDS,
      nonce: "n1",
      systemVersionInfo: "",
      removedResources: [],
      resources: [entry, entry],
    };
    expect(client.protocol.received(response)).toMatchObject([
      { errorDetail: { message: "a: name: occurs twice in one response" } },
    ]);
    expect(client.updates[0]?.resources).toHaveLength(1);
  });
});

describe("state of the world, client side", () => {
  it("repeats all names whenever they change", () => {
    const client = createClientDriver("sotw");
    client.want(EDS, new Set(["a", "b"]));
    client.connect();
    client.respond(EDS, "n1", { a: "1", b: "1" });
    expect(only(client.want(EDS, new Set(["b", "c"])))).toMatchObject({ names: ["b", "c"], nonce: "n1" });
    expect(only(client.want(EDS, new Set()))).toMatchObject({ names: [], nonce: "n1" });
  });

  it("takes what a complete response leaves out for removed, for clusters and listeners only", () => {
    const client = createClientDriver("sotw");
    client.want(CDS, "*");
    client.want(EDS, new Set(["a", "b"]));
    client.connect();
    client.respond(CDS, "n1", { a: "1", b: "1" });
    client.respond(EDS, "n2", { a: "1", b: "1" });
    client.respond(EDS, "n3", { a: "2" });
    expect(client.updates.at(-1)?.removed).toEqual([]);
    client.respond(CDS, "n4", { a: "1" });
    expect(client.updates.at(-1)?.removed).toEqual(["b"]);
  });

  it("keeps a resource that was refused in its older version: it is not removed", () => {
    const client = createClientDriver("sotw");
    client.want(CDS, "*");
    client.connect();
    client.respond(CDS, "n1", { a: "1" });
    client.refused.set("bad", "no");
    client.respond(CDS, "n2", { a: "bad" });
    expect(client.updates.at(-1)?.removed).toEqual([]);
    expect(client.held.get("a")).toBe("1");
    client.respond(CDS, "n3", {});
    expect(client.updates.at(-1)?.removed).toEqual(["a"]);
  });
});
