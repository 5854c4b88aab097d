import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignment_PolicySchema,
  ClusterLoadAssignmentSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import type { LbEndpointSchema } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint_components";
import { describe, expect, it } from "vitest";
import { ActiveClusterManager } from "./active-cluster-manager.ts";
import type { DnsResolver } from "./dns-resolver.ts";
import { ANY, request, testDependencies } from "./testing/fixtures.ts";

function assignment(clusterName: string, ...ips: string[]): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [
      {
        lbEndpoints: ips.map(
          (address): MessageInitShape<typeof LbEndpointSchema> => ({
            hostIdentifier: {
              case: "endpoint",
              value: {
                address: {
                  address: {
                    case: "socketAddress",
                    value: { address, portSpecifier: { case: "portValue", value: 80 } },
                  },
                },
              },
            },
          }),
        ),
      },
    ],
  });
}

function cluster(
  name: string,
  type: Cluster_DiscoveryType,
  init: MessageInitShape<typeof ClusterSchema> = {},
): Cluster {
  return create(ClusterSchema, { name, clusterDiscoveryType: { case: "type", value: type }, ...init });
}

const { EDS, STATIC, STRICT_DNS, ORIGINAL_DST } = Cluster_DiscoveryType;

function setUp(resolve: DnsResolver = async () => ({ addresses: [], ttl: null })) {
  const dependencies = testDependencies();
  const warmed: string[] = [];
  const manager = new ActiveClusterManager({ ...dependencies, resolve, onWarmed: (name) => warmed.push(name) });
  const send = (name: string) => {
    const sent = request();
    manager.get(name)?.newStream(ANY, sent.decoder, sent.callbacks);
    return sent.events;
  };
  const targets = () => dependencies.connector.attempts.map((attempt) => attempt.target.text);
  return { ...dependencies, manager, warmed, send, targets };
}

describe("ActiveClusterManager", () => {
  it("serves a static cluster at once", () => {
    const { manager, warmed, send, targets } = setUp();
    expect(manager.set(cluster("a", STATIC, { loadAssignment: assignment("a", "10.0.0.1") }))).toEqual([]);
    expect(warmed).toEqual(["a"]);
    send("a");
    expect(targets()).toEqual(["10.0.0.1:80"]);
  });

  it("warms an EDS cluster until its first assignment, and asks for it by service name", () => {
    const { manager } = setUp();
    manager.set(cluster("a", EDS, { edsClusterConfig: { serviceName: "svc" } }));
    expect(manager.get("a")).toBeNull();
    expect([...manager.warming]).toEqual(["a"]);
    expect(manager.edsNames).toEqual(new Set(["svc"]));
    expect(manager.assign(assignment("svc"))).toEqual([]);
    expect(manager.get("a")).not.toBeNull();
  });

  it("keeps the old cluster serving while one with another discovery warms", () => {
    const { manager, send, targets } = setUp();
    manager.set(cluster("a", STATIC, { loadAssignment: assignment("a", "10.0.0.1") }));
    manager.set(cluster("a", EDS));
    send("a");
    expect(targets()).toEqual(["10.0.0.1:80"]);
    manager.assign(assignment("a", "10.0.0.2"));
    send("a");
    expect(targets()).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
  });

  it("gives a second cluster of a service the assignment that is known", () => {
    const { manager } = setUp();
    manager.set(cluster("a", EDS));
    manager.assign(assignment("a", "10.0.0.1"));
    manager.set(cluster("b", EDS, { edsClusterConfig: { serviceName: "a" } }));
    expect(manager.warming.size).toBe(0);
    expect(
      [...(manager.clusters.find((entry) => entry.name === "b")?.hosts.hosts ?? [])].map((host) => host.address.text),
    ).toEqual(["10.0.0.1:80"]);
  });

  it("changes limits and balancing without warming or losing connections", () => {
    const { manager, connector, send } = setUp();
    manager.set(cluster("a", EDS));
    manager.assign(assignment("a", "10.0.0.1"));
    send("a");
    const connection = connector.attempts[0]?.succeed();
    connection?.respond();
    manager.set(cluster("a", EDS, { lbPolicy: Cluster_LbPolicy.RANDOM }));
    expect(manager.warming.size).toBe(0);
    expect(send("a")).toEqual(["ready 10.0.0.1:80"]);
    expect(connection?.requests).toBe(2);
  });

  it("balances as the messages of the policies say", () => {
    const { manager } = setUp();
    const policy = (init: MessageInitShape<typeof ClusterSchema>) => {
      expect(manager.set(cluster("a", EDS, init))).toEqual([]);
      manager.assign(assignment("a", "10.0.0.1"));
      return manager.clusters[0]?.config.policy;
    };
    const { MAGLEV, LEAST_REQUEST, ROUND_ROBIN, RING_HASH } = Cluster_LbPolicy;
    expect(policy({ lbPolicy: MAGLEV })).toEqual({ kind: "maglev", tableSize: 65_537 });
    expect(policy({ lbPolicy: MAGLEV, lbConfig: { case: "maglevLbConfig", value: { tableSize: 101n } } })).toEqual({
      kind: "maglev",
      tableSize: 101,
    });
    expect(policy({ lbPolicy: RING_HASH })).toEqual({ kind: "ring-hash", minimumSize: 1024, maximumSize: 8_388_608 });
    const slowStartConfig = { slowStartWindow: { seconds: 60n }, aggression: { defaultValue: 2, runtimeKey: "k" } };
    const slowStart = { window: 60_000, aggression: 2, minimum: 0.1 };
    expect(
      policy({ lbPolicy: ROUND_ROBIN, lbConfig: { case: "roundRobinLbConfig", value: { slowStartConfig } } }),
    ).toEqual({ kind: "round-robin", slowStart });
    const least = { slowStartConfig: { ...slowStartConfig, minWeightPercent: { value: 25 } }, choiceCount: 3 };
    expect(policy({ lbPolicy: LEAST_REQUEST, lbConfig: { case: "leastRequestLbConfig", value: least } })).toEqual({
      kind: "least-request",
      choices: 3,
      activeRequestBias: 1,
      slowStart: { ...slowStart, minimum: 0.25 },
    });
    expect(policy({ lbPolicy: LEAST_REQUEST })).toMatchObject({ choices: 2, slowStart: null });
  });

  it("refuses a table for Maglev whose size is no prime, and a ring whose bounds cross", () => {
    const { manager } = setUp();
    const refused = (init: MessageInitShape<typeof ClusterSchema>) =>
      manager.check(cluster("a", EDS, init)).map((fault) => fault.path);
    const table = (tableSize: bigint) =>
      refused({ lbPolicy: Cluster_LbPolicy.MAGLEV, lbConfig: { case: "maglevLbConfig", value: { tableSize } } });
    expect([table(65_537n), table(5_000_011n), table(2n)]).toEqual([[], [], []]);
    for (const size of [0n, 1n, 4n, 65_536n, 5_000_077n]) expect(table(size)).toEqual(["maglevLbConfig.tableSize"]);
    const value = { minimumRingSize: 10n, maximumRingSize: 5n };
    expect(refused({ lbPolicy: Cluster_LbPolicy.RING_HASH, lbConfig: { case: "ringHashLbConfig", value } })).toEqual([
      "ringHashLbConfig.minimumRingSize",
    ]);
  });

  it("counts the age of hosts from when they came, and takes the overprovisioning factor of each assignment", () => {
    const { manager, clock } = setUp();
    manager.set(cluster("a", EDS));
    manager.assign(assignment("a", "10.0.0.1"));
    clock.advance(5000);
    manager.assign({
      ...assignment("a", "10.0.0.1", "10.0.0.2"),
      policy: create(ClusterLoadAssignment_PolicySchema, { overprovisioningFactor: 200 }),
    });
    const hosts = manager.clusters[0]?.hosts;
    const [first, second] = [...(hosts?.hosts ?? [])].map((host) => host.added);
    expect((second ?? 0) - (first ?? 0)).toBe(5000);
    expect(hosts?.overprovisioning).toBe(2);
    manager.assign(assignment("a", "10.0.0.1"));
    expect(hosts?.overprovisioning).toBe(1.4);
  });

  it("refuses by field what it cannot do, and keeps what serves", () => {
    const { manager } = setUp();
    manager.set(cluster("a", STATIC, { loadAssignment: assignment("a", "10.0.0.1") }));
    expect(manager.set(cluster("a", ORIGINAL_DST)).map((fault) => fault.path)).toEqual(["type"]);
    expect(manager.set(cluster("a", STATIC, { loadAssignment: assignment("a", "a.example") }))).toMatchObject([
      {
        path: "loadAssignment.endpoints[0].lbEndpoints[0].endpoint.address",
        message: expect.stringContaining("a.example"),
      },
    ]);
    expect(manager.get("a")).not.toBeNull();
  });

  it("follows names, keeps what was found while they fail, and looks again", async () => {
    const answers: (string[] | Error)[] = [["10.0.0.1"], new Error("SERVFAIL"), ["10.0.0.1", "10.0.0.2"]];
    const { manager, clock } = setUp(async () => {
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return { addresses: answer, ttl: null };
    });
    manager.set(
      cluster("a", STRICT_DNS, { loadAssignment: assignment("a", "a.example"), dnsRefreshRate: { seconds: 5n } }),
    );
    const hosts = () => [...(manager.clusters[0]?.hosts.hosts ?? [])].map((host) => host.address.text);
    await clock.advanceAsync(0);
    await clock.advanceAsync(10, 5);
    expect(hosts()).toEqual(["10.0.0.1:80"]);
    await clock.advanceAsync(5000, 2500);
    expect(hosts()).toEqual(["10.0.0.1:80"]);
    await clock.advanceAsync(5000, 2500);
    expect(hosts()).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
    expect(manager.clusters[0]?.stats).toMatchObject({ update_success: 2, update_failure: 1 });
  });

  it("lets the requests of a removed cluster finish", () => {
    const { manager, connector, send } = setUp();
    manager.set(cluster("a", STATIC, { loadAssignment: assignment("a", "10.0.0.1") }));
    const events = send("a");
    const connection = connector.attempts[0]?.succeed();
    manager.remove("a");
    expect(manager.get("a")).toBeNull();
    connection?.respond();
    expect(events).toEqual(["ready 10.0.0.1:80", "response"]);
    expect(connection?.closed).toBe(true);
  });
});
