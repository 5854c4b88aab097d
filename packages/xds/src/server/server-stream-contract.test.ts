import { describe, expect, it } from "vitest";
import { CDS, ECDS, EDS, LDS, RDS, resource, SDS } from "../../test/resources.ts";
import { createBench, type Seen, type StreamDriver } from "../../test/stream-driver.ts";
import { TypeUrl } from "../resource-types.ts";
import { StatusCode } from "../status-code.ts";

/** Of one response, or of none. */
function names(responses: Seen[]): string[] | undefined {
  expect(responses.length).toBeLessThanOrEqual(1);
  return responses[0]?.names;
}

function only(responses: Seen[]): Seen {
  expect(responses).toHaveLength(1);
  return responses[0] as Seen;
}

const types = (responses: Seen[]) => responses.map((response) => response.typeUrl);

describe.each(["sotw", "delta"] as const)("a server's stream (%s)", (mode) => {
  function setUp(...clusters: string[]) {
    const bench = createBench(mode);
    for (const name of clusters) bench.source.set(name, resource(CDS, name));
    bench.source.takeChanges();
    return { ...bench, client: bench.connect() as StreamDriver };
  }

  it("answers a first request without names with everything, for CDS and LDS", () => {
    const { client, source } = setUp("a", "b");
    source.set("listener", resource(LDS, "listener"));
    expect(names(client.begin(CDS))).toEqual(["a", "b"]);
    expect(names(client.begin(LDS))).toEqual(["listener"]);
  });

  it("answers a first request for everything also when nothing exists, so that the client need not wait", () => {
    expect(only(setUp().client.begin(CDS)).names).toEqual([]);
  });

  it("takes the name * for everything", () => {
    expect(names(setUp("a", "b").client.begin(CDS, ["*"]))).toEqual(["a", "b"]);
  });

  it("answers a request for names with those, also for CDS and LDS, as gRPC's clients ask", () => {
    const { client } = setUp("a", "b", "c");
    expect(names(client.begin(CDS, ["a", "c"]))).toEqual(["a", "c"]);
  });

  it("says nothing to an ACK", () => {
    const { client } = setUp("a");
    const [first] = client.begin(CDS);
    expect(client.ack(first as Seen)).toEqual([]);
    expect(client.outcome?.answer).toBe("ack");
  });

  it("says nothing to a NACK, and does not repeat what was refused", () => {
    const { client, source } = setUp("a");
    const [first] = client.begin(CDS);
    expect(client.nack(first as Seen, "a: bad")).toEqual([]);
    expect(client.outcome).toMatchObject({ answer: "nack", nack: { message: "a: bad" } });
    source.set("a", resource(CDS, "a"));
    expect(client.push()).toEqual([]);
  });

  it("sends what comes after a NACK", () => {
    const { client, source } = setUp("a");
    client.nack(only(client.begin(CDS)), "a: bad");
    source.set("a", resource(CDS, "a", "better"));
    expect(only(client.push()).contents).toEqual({ a: "better" });
  });

  it("ignores a stale nonce", () => {
    const { client } = setUp("a");
    client.begin(CDS);
    expect(client.ackStale(CDS)).toEqual([]);
    expect(client.outcome?.answer).toBe("stale");
    expect(client.stream.watches.get(CDS)?.acks.acked).toBeNull();
  });

  it("answers EDS names {a} → {a, b}, and is silent when names go", () => {
    const { client, source } = setUp();
    source.set("a", resource(EDS, "a", "1.1.1.1"));
    source.set("b", resource(EDS, "b", "2.2.2.2"));
    client.ack(only(client.begin(EDS, ["a"])));
    const added = only(client.add(EDS, ["b"]));
    expect(added.contents).toEqual({ b: "2.2.2.2" });
    client.ack(added);
    expect(client.remove(EDS, ["b"])).toEqual([]);
    expect(client.remove(EDS, ["a"])).toEqual([]);
    source.set("a", resource(EDS, "a", "3.3.3.3"));
    expect(client.push()).toEqual([]);
  });

  it("answers unknown RDS and EDS names with the source's empty resources", () => {
    const { client } = setUp();
    expect(only(client.begin(RDS, ["9999"])).contents).toEqual({ 9999: "" });
    expect(only(client.begin(EDS, ["outbound|1||x"])).contents).toEqual({ "outbound|1||x": "" });
  });

  it("serves a name once it exists, if it did not when it was asked for", () => {
    const { client, source } = setUp();
    for (const response of client.begin(SDS, ["kubernetes://late"])) {
      expect(response.names).toEqual([]);
      client.ack(response);
    }
    source.set("kubernetes://late", resource(SDS, "kubernetes://late", "key"));
    expect(only(client.push()).contents).toEqual({ "kubernetes://late": "key" });
  });

  it("pushes only types that are watched, and in the order CDS, EDS, LDS, RDS, SDS, rest", () => {
    const { client, source } = setUp();
    for (const type of [ECDS, SDS, RDS, EDS]) for (const seen of client.begin(type, ["x"])) client.ack(seen);
    for (const type of [LDS, CDS]) client.ack(only(client.begin(type)));
    for (const type of [ECDS, SDS, RDS, LDS, EDS, CDS, TypeUrl.nameTable]) source.set("x", resource(type, "x", "new"));
    expect(types(client.push())).toEqual([CDS, EDS, LDS, RDS, SDS, ECDS]);
  });

  it("pushes only names that are watched and differ from what the client has", () => {
    const { client, source } = setUp();
    for (const name of ["a", "b", "c"]) source.set(name, resource(EDS, name, "1"));
    client.ack(only(client.begin(EDS, ["a", "b"])));
    source.set("a", resource(EDS, "a", "1"));
    source.set("b", resource(EDS, "b", "2"));
    source.set("c", resource(EDS, "c", "2"));
    expect(only(client.push()).contents).toEqual({ b: "2" });
  });

  it("sends nothing when a push changes nothing for this client", () => {
    const { client, source } = setUp("a");
    client.ack(only(client.begin(CDS)));
    source.set("a", resource(CDS, "a"));
    expect(client.push()).toEqual([]);
  });

  it("has one push of a type on its way; later ones come as one, with the newest state", () => {
    const { client, source } = setUp("a");
    client.ack(only(client.begin(CDS)));
    source.set("a", resource(CDS, "a", "1"));
    const first = only(client.push());
    for (const content of ["2", "3", "4"]) {
      source.set("a", resource(CDS, "a", content));
      expect(client.push()).toEqual([]);
    }
    expect(only(client.ack(first)).contents).toEqual({ a: "4" });
  });

  it("lets a push of one type pass another type's missing ACK", () => {
    const { client, source } = setUp();
    source.set("a", resource(EDS, "a", "1"));
    client.begin(CDS);
    client.ack(only(client.begin(EDS, ["a"])));
    source.set("a", resource(EDS, "a", "2"));
    expect(types(client.push())).toEqual([EDS]);
  });

  it("holds listeners and routes back behind clusters that wait, since they may refer to them", () => {
    const { client, source } = setUp("a");
    const clusters = only(client.begin(CDS));
    client.ack(only(client.begin(LDS)));
    source.set("b", resource(CDS, "b"));
    source.set("listener", resource(LDS, "listener", "to b"));
    expect(client.push()).toEqual([]);
    expect(types(client.ack(clusters))).toEqual([CDS, LDS]);
  });

  it("pushes again to a client that never answers, once it is told to stop waiting", () => {
    const { client, source, clock } = setUp("a");
    client.begin(CDS);
    source.set("a", resource(CDS, "a", "1"));
    expect(client.push()).toEqual([]);
    expect(client.stream.watches.heldBack).toBe(true);
    expect(client.stream.watches.releaseUnanswered(clock.now() - 1)).toBe(false);
    expect(client.stream.watches.releaseUnanswered(clock.now())).toBe(true);
    expect(client.stream.poll()).not.toBeNull();
  });

  it("sends the endpoints again of a cluster whose content changed, and of no other", () => {
    const { client, source } = setUp("a", "b");
    for (const name of ["a", "b"]) source.set(name, resource(EDS, name, "1"));
    client.ack(only(client.begin(CDS)));
    client.ack(only(client.begin(EDS, ["a", "b"])));
    source.takeChanges();
    source.set("a", resource(CDS, "a", "other settings"));
    const responses = client.push();
    expect(types(responses)).toEqual([CDS, EDS]);
    expect(responses[1]?.contents).toEqual({ a: "1" });
  });

  it("finds the endpoints of a changed cluster also under another name", () => {
    const { client, source } = setUp("a");
    source.set("service", resource(EDS, "service", "1"));
    client.ack(only(client.begin(CDS)));
    client.ack(only(client.begin(EDS, ["service"])));
    source.takeChanges();
    source.set("a", resource(CDS, "a", "other"), { endpointName: "service" });
    expect(types(client.push())).toEqual([CDS, EDS]);
  });

  it("versions strictly increase across pushes, nonces differ", () => {
    const { client, source } = setUp("a");
    const seen = client.begin(CDS);
    for (let i = 0; i < 20; i++) {
      source.set("a", resource(CDS, "a", String(i)));
      client.ack(seen.at(-1) as Seen);
      seen.push(...client.push());
    }
    const counters = seen.map(({ version }) => Number(version.split("/")[1]));
    expect(counters).toEqual([...counters].sort((a, b) => a - b));
    expect(new Set(counters).size).toBe(21);
    expect(new Set(seen.map(({ nonce }) => nonce)).size).toBe(21);
    expect(seen[0]?.version).toMatch(/^2026-01-01T00:00:00.000Z\/\d+$/);
    expect(seen.every(({ nonce, version }) => nonce.startsWith(version) && nonce !== version)).toBe(true);
  });

  it("keeps per type what was sent, accepted and refused, and per resource who was refused", () => {
    const { client, source, clock } = setUp("a", "b");
    const first = only(client.begin(CDS));
    const acks = client.stream.watches.get(CDS)?.acks;
    clock.advance(5);
    client.ack(first);
    source.set("a", resource(CDS, "a", "bad"));
    source.set("b", resource(CDS, "b", "good"));
    const second = only(client.push());
    clock.advance(5);
    client.nack(second, "a: load_assignment: no such thing");
    expect(acks?.acked).toEqual({ version: first.version, nonce: first.nonce, time: clock.now() - 5 });
    expect(acks?.sent).toMatchObject({ version: second.version, nonce: second.nonce });
    expect(acks?.nacked?.resources).toEqual([{ name: "a", field: "load_assignment", reason: "no such thing" }]);
    expect([...(acks?.refused.keys() ?? [])]).toEqual(["a"]);
    source.set("a", resource(CDS, "a", "good"));
    client.ack(only(client.push()));
    expect(acks?.nacked).toBeNull();
    expect(acks?.refused.size).toBe(0);
  });

  it("splits what does not fit one response, where the protocol allows it", () => {
    const { connect, source } = setUp();
    const wanted = ["a", "b", "c", "d", "e"];
    for (const name of wanted) source.set(name, resource(EDS, name, "1"));
    const responses = connect(undefined, { responseBytes: 300 }).begin(EDS, wanted);
    expect(responses.length).toBeGreaterThan(1);
    expect(responses.flatMap((response) => response.names).sort()).toEqual(wanted);
  });

  it("never answers a type that the source does not serve", () => {
    const { connect, source } = setUp();
    const client = connect({ generate: () => undefined, onClose: () => {} });
    expect(client.begin(CDS)).toEqual([]);
    source.set("a", resource(CDS, "a"));
    expect(client.push()).toEqual([]);
  });

  it("survives a source that fails, and makes up for it with the next push", () => {
    const { connect, source, errors } = setUp("a", "b");
    const healthy = source.open();
    let broken = true;
    const client = connect({
      onClose: () => {},
      generate: (typeUrl, wanted) => {
        if (broken) throw new Error("generator bug");
        return healthy.generate(typeUrl, wanted);
      },
    });
    expect(client.begin(CDS)).toEqual([]);
    expect(errors).toEqual([CDS]);
    expect(client.stream.watches.get(CDS)?.internalError).toBe("generator bug");
    broken = false;
    source.set("b", resource(CDS, "b", "new"));
    expect(names(client.push())).toEqual(["a", "b"]);
  });

  it("answers new names also when they come with a refusal", () => {
    const { client, source } = setUp();
    source.set("b", resource(EDS, "b", "1"));
    const first = only(client.begin(EDS, ["a"]));
    const { stream } = client;
    const request =
      mode === "sotw"
        ? { resourceNames: ["a", "b"], versionInfo: "" }
        : { resourceNamesSubscribe: ["b"], resourceNamesUnsubscribe: [], initialResourceVersions: {} };
    const refusal = { ...request, typeUrl: EDS, responseNonce: first.nonce, errorDetail: { code: 3, message: "no" } };
    expect(stream.onRequest(refusal as never).answer).toBe("nack");
    expect(stream.poll()).toMatchObject({ resources: 1 });
    expect(stream.poll()).toBeNull();
  });

  it("tells the source what the agent says about health, and answers nothing", () => {
    const { connect } = setUp();
    const heard: string[] = [];
    const client = connect({
      generate: () => new Map(),
      onClose: () => {},
      onHealth: (healthy, reason) => heard.push(`${healthy} ${reason}`),
    });
    expect(client.begin(TypeUrl.health)).toEqual([]);
    const seen = { typeUrl: TypeUrl.health, nonce: "" } as Seen;
    expect(client.nack(seen, "probe failed")).toEqual([]);
    expect(heard).toEqual(["true ", "false probe failed"]);
  });

  it("ends a stream without a type, with too many types or names, or with an overlong name", () => {
    const { connect } = setUp();
    const limits = { types: 2, names: 3, nameLength: 10 };
    const client = connect(undefined, limits);
    client.begin("");
    expect(client.outcome?.fault?.code).toBe(StatusCode.invalidArgument);
    client.begin(CDS);
    client.begin(EDS, ["a", "b", "c"]);
    expect(client.outcome?.fault).toBeUndefined();
    client.add(EDS, ["d"]);
    expect(client.outcome?.fault?.code).toBe(StatusCode.resourceExhausted);
    client.begin(LDS);
    expect(client.outcome?.fault?.code).toBe(StatusCode.resourceExhausted);
    const other = connect(undefined, limits);
    other.begin(EDS, ["12345678901"]);
    expect(other.outcome?.fault?.message).toContain("longer than 10");
  });
});
