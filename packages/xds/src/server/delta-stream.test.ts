import { describe, expect, it } from "vitest";
import { CDS, ECDS, EDS, LDS, resource, SDS } from "../../test/resources.ts";
import { createBench, type DeltaDriver, type Seen } from "../../test/stream-driver.ts";

const base = ["BlackHoleCluster", "InboundPassthroughCluster", "PassthroughCluster"];

function setUp() {
  const bench = createBench("delta");
  return { ...bench, client: bench.connect() as DeltaDriver };
}

function only(responses: Seen[]): Seen {
  expect(responses).toHaveLength(1);
  return responses[0] as Seen;
}

const types = (responses: Seen[]) => responses.map((response) => response.typeUrl);

describe("delta, server side", () => {
  it("answers EDS 80, then 81, with only 81; unsubscribing 81 is silent", () => {
    const { client } = setUp();
    client.ack(only(client.begin(EDS, ["80"])));
    expect(only(client.send({ typeUrl: EDS, resourceNamesSubscribe: ["81"] })).names).toEqual(["81"]);
    expect(client.send({ typeUrl: EDS, resourceNamesUnsubscribe: ["81"] })).toEqual([]);
  });

  it("names the clusters of a removed service as removed, and sends nothing that stayed as it was", () => {
    const { client, source } = setUp();
    for (const name of [...base, "inbound|80||", "outbound|80||a"]) source.set(name, resource(CDS, name));
    client.ack(only(client.begin(CDS)));
    source.takeChanges();
    source.delete(CDS, "outbound|80||a");
    const gone = only(client.push());
    expect(gone.removed).toEqual(["outbound|80||a"]);
    // Upstream sends the inbound and the base clusters along; their content tells us that they need not go.
    expect(gone.names).toEqual([]);
    client.ack(gone);
    source.delete(CDS, "inbound|80||");
    expect(only(client.push()).removed).toEqual(["inbound|80||"]);
  });

  it("on reconnect names what was deleted, sends what differs and what is new, and then endpoints unasked", () => {
    const { client, source } = setUp();
    for (const name of [...base, "new"]) source.set(name, resource(CDS, name));
    client.begin(EDS, ["new", "PassthroughCluster"]);
    const initialResourceVersions = Object.fromEntries([...base, "deleted"].map((name) => [name, ""]));
    const responses = client.send({ typeUrl: CDS, initialResourceVersions });
    expect(types(responses)).toEqual([CDS, EDS]);
    expect(responses[0]?.removed).toEqual(["deleted"]);
    expect(responses[0]?.names).toEqual([...base, "new"]);
    expect(responses[1]?.names).toEqual(["PassthroughCluster", "new"]);
  });

  it("on reconnect does not send what the client has in this version, but answers", () => {
    const { client, source } = setUp();
    for (const name of ["same", "other"]) source.set(name, resource(CDS, name));
    const same = source.get(CDS).get("same")?.version ?? "";
    const response = only(client.send({ typeUrl: CDS, initialResourceVersions: { same, other: "old" } }));
    expect(response.names).toEqual(["other"]);
    const again = setUp();
    again.source.set("same", resource(CDS, "same"));
    expect(only(again.client.send({ typeUrl: CDS, initialResourceVersions: { same } })).names).toEqual([]);
  });

  it("on reconnect sends endpoints in any case, since a cluster may be warming", () => {
    const { client, source } = setUp();
    source.set("a", resource(EDS, "a", "1"));
    const a = source.get(EDS).get("a")?.version ?? "";
    const request = { typeUrl: EDS, resourceNamesSubscribe: ["a"], initialResourceVersions: { a } };
    expect(only(client.send(request)).names).toEqual(["a"]);
  });

  it("on reconnect sends nothing for named resources that the client has", () => {
    const { client, source } = setUp();
    source.set("s", resource(SDS, "s", "1"));
    const s = source.get(SDS).get("s")?.version ?? "";
    const request = { typeUrl: SDS, resourceNamesSubscribe: ["s"], initialResourceVersions: { s, unasked: "1" } };
    expect(client.send(request)).toEqual([]);
    source.set("s", resource(SDS, "s", "2"));
    expect(only(client.push()).contents).toEqual({ s: "2" });
  });

  it("leaves nonce and ACK state alone when an unknown name is unsubscribed", () => {
    const { client, source } = setUp();
    source.set("a", resource(CDS, "a"));
    const first = only(client.begin(CDS));
    client.ack(first);
    expect(client.send({ typeUrl: CDS, resourceNamesUnsubscribe: ["unknown"] })).toEqual([]);
    const acks = client.stream.watches.get(CDS)?.acks;
    expect([acks?.sent?.nonce, acks?.acked?.nonce]).toEqual([first.nonce, first.nonce]);
  });

  it("sends a known name again to a client that subscribes again", () => {
    const { client, source } = setUp();
    source.set("a", resource(EDS, "a", "1"));
    client.ack(only(client.begin(EDS, ["a"])));
    expect(only(client.add(EDS, ["a"])).contents).toEqual({ a: "1" });
  });

  it("says of a name that does not exist that it is removed, except for extension configs", () => {
    const { client } = setUp();
    expect(only(client.begin(SDS, ["none"])).removed).toEqual(["none"]);
    expect(client.begin(ECDS, ["none"])).toEqual([]);
  });

  it("never removes an extension config", () => {
    const { client, source } = setUp();
    source.set("plugin", resource(ECDS, "plugin", "1"));
    client.ack(only(client.begin(ECDS, ["plugin"])));
    source.delete(ECDS, "plugin");
    expect(client.push()).toEqual([]);
  });

  it("applies subscriptions that come with a stale nonce: they are said only once", () => {
    const { client } = setUp();
    client.begin(EDS, ["a"]);
    const request = { typeUrl: EDS, responseNonce: "stale", resourceNamesSubscribe: ["b"] };
    expect(only(client.send(request)).names).toEqual(["b"]);
    expect(client.outcome?.answer).toBe("stale");
  });

  it("takes answers to each of several responses on their way", () => {
    const { client, source } = setUp();
    const first = only(client.begin(EDS, ["a"]));
    const second = only(client.add(EDS, ["b"]));
    expect(client.ack(first)).toEqual([]);
    expect(client.outcome?.answer).toBe("ack");
    source.set("a", resource(EDS, "a", "1"));
    expect(client.push()).toEqual([]);
    expect(only(client.ack(second)).contents).toEqual({ a: "1" });
  });

  it("attributes a refusal to the response that it answers", () => {
    const { client } = setUp();
    const first = only(client.begin(EDS, ["a"]));
    client.add(EDS, ["b"]);
    client.nack(first, "malformed");
    expect(client.outcome?.nack?.resources).toEqual([{ name: "a", reason: "malformed" }]);
  });

  it("adds everything to names, and takes it away again", () => {
    const { client, source } = setUp();
    for (const name of ["a", "b"]) source.set(name, resource(LDS, name));
    source.takeChanges();
    client.ack(only(client.begin(LDS, ["a"])));
    client.ack(only(client.add(LDS, ["*"])));
    expect(client.remove(LDS, ["*"])).toEqual([]);
    source.set("b", resource(LDS, "b", "1"));
    expect(client.push()).toEqual([]);
    source.set("a", resource(LDS, "a", "1"));
    expect(only(client.push()).names).toEqual(["a"]);
  });

  it("sends a resource again that was unsubscribed by name while everything covers it", () => {
    const { client, source } = setUp();
    source.set("a", resource(LDS, "a"));
    client.ack(only(client.begin(LDS, ["*", "a", "gone"])));
    const response = only(client.remove(LDS, ["a", "gone"]));
    expect([response.names, response.removed]).toEqual([["a"], ["gone"]]);
  });
});
