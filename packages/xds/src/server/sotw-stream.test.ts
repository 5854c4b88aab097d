import { describe, expect, it } from "vitest";
import { CDS, EDS, LDS, RDS, resource } from "../../test/resources.ts";
import { createBench, type Seen, type SotwDriver } from "../../test/stream-driver.ts";

function setUp() {
  const bench = createBench("sotw");
  return { ...bench, client: bench.connect() as SotwDriver };
}

function only(responses: Seen[]): Seen {
  expect(responses).toHaveLength(1);
  return responses[0] as Seen;
}

describe("state of the world, server side", () => {
  it("is silent to an ACK with the same names in another order", () => {
    const { client } = setUp();
    const { nonce } = only(client.begin(EDS, ["a", "b"]));
    expect(client.send({ typeUrl: EDS, resourceNames: ["b", "a"], responseNonce: nonce })).toEqual([]);
    expect(client.outcome?.answer).toBe("ack");
  });

  it("answers a request that brings an unknown nonce when there is no watch: the client reconnected", () => {
    const { client } = setUp();
    const responses = client.send({ typeUrl: CDS, responseNonce: "of another stream", versionInfo: "old" });
    expect(only(responses).typeUrl).toBe(CDS);
  });

  it("ends an EDS watch whose names become none, silently", () => {
    const { client } = setUp();
    const { nonce } = only(client.begin(EDS, ["a"]));
    expect(client.send({ typeUrl: EDS, responseNonce: nonce })).toEqual([]);
    expect(client.stream.watches.get(EDS)).toBeUndefined();
  });

  it("answers the ACK of EDS in full once after clusters were asked for: reconnect sequence", () => {
    const { client } = setUp();
    const eds = { typeUrl: EDS, resourceNames: ["a"] };
    const first = only(client.send({ ...eds, responseNonce: "old" }));
    const clusters = only(client.send({ typeUrl: CDS, responseNonce: "old" }));
    const second = only(client.send({ ...eds, responseNonce: first.nonce }));
    expect(second.names).toEqual(["a"]);
    expect(client.send({ ...eds, responseNonce: second.nonce })).toEqual([]);
    expect(client.send({ typeUrl: CDS, responseNonce: clusters.nonce })).toEqual([]);
  });

  it("answers RDS {A} → {B} → {A, B} → {A} without nonces with exactly the named routes", () => {
    const { client } = setUp();
    for (const resourceNames of [["A"], ["B"], ["A", "B"], ["A"]]) {
      expect(only(client.send({ typeUrl: RDS, resourceNames })).names).toEqual(resourceNames);
    }
  });

  it("is silent to a change that only takes RDS names away, with the current nonce", () => {
    const { client } = setUp();
    const { nonce } = only(client.begin(RDS, ["A", "B"]));
    expect(client.send({ typeUrl: RDS, resourceNames: ["A"], responseNonce: nonce })).toEqual([]);
  });

  it("is silent to RDS without names after a push, and serves the names that follow", () => {
    const { client, source } = setUp();
    client.ack(only(client.begin(RDS, ["A"])));
    source.set("A", resource(RDS, "A", "1"));
    const { nonce } = only(client.push());
    expect(client.send({ typeUrl: RDS, responseNonce: nonce })).toEqual([]);
    expect(only(client.send({ typeUrl: RDS, resourceNames: ["A", "B"], responseNonce: nonce })).names).toEqual([
      "A",
      "B",
    ]);
    expect(client.send({ typeUrl: RDS })).toEqual([]);
  });

  it("sends CDS and LDS complete, also when one resource changed or a name was added", () => {
    const { client, source } = setUp();
    for (const name of ["a", "b", "c"]) source.set(name, resource(CDS, name));
    client.ack(only(client.begin(CDS, ["a", "b"])));
    source.set("a", resource(CDS, "a", "1"));
    const pushed = only(client.push());
    expect(pushed.names).toEqual(["a", "b"]);
    const added = only(client.send({ typeUrl: CDS, resourceNames: ["a", "b", "c"], responseNonce: pushed.nonce }));
    expect(added.names).toEqual(["a", "b", "c"]);
  });

  it("leaves a deleted listener out of the next complete set", () => {
    const { client, source } = setUp();
    for (const name of ["a", "b"]) source.set(name, resource(LDS, name));
    client.ack(only(client.begin(LDS)));
    source.delete(LDS, "a");
    expect(only(client.push()).names).toEqual(["b"]);
  });

  it("ends a watch of named clusters whose names become none, instead of sending everything", () => {
    const { client, source } = setUp();
    source.set("a", resource(CDS, "a"));
    source.set("b", resource(CDS, "b"));
    const { nonce } = only(client.begin(CDS, ["a"]));
    expect(client.send({ typeUrl: CDS, responseNonce: nonce })).toEqual([]);
    expect(client.stream.watches.get(CDS)).toBeUndefined();
  });

  it("never splits a complete set", () => {
    const { connect, source } = setUp();
    for (const name of ["a", "b", "c"]) source.set(name, resource(CDS, name));
    expect(only(connect(undefined, { responseBytes: 10 }).begin(CDS)).names).toEqual(["a", "b", "c"]);
  });

  it("quotes the newest push as the version", () => {
    const { client, source, versions } = setUp();
    client.ack(only(client.begin(CDS)));
    source.set("a", resource(CDS, "a"));
    expect(only(client.push()).version).toBe(versions.current);
  });
});
