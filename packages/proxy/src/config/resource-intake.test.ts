import { create } from "@bufbuild/protobuf";
import { VirtualClock } from "@mixerless/clock";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { describe, expect, it } from "vitest";
import { ConfigRegistry } from "./config-registry.ts";
import { FilterConfigs } from "./filter-configs.ts";
import { type IncomingUpdate, type IntakeDependencies, ResourceIntake } from "./resource-intake.ts";
import type { ResourceKind } from "./resource-kinds.ts";

const SCHEMAS = { cluster: ClusterSchema, listener: ListenerSchema, routes: RouteConfigurationSchema };

/** The parts of a proxy, which write down what they are told. */
function setUp() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const warming = new Set<string>();
  const eds = new Set<string>();
  const refused = new Set<string>();
  const part = (kind: string) => ({
    set: ({ name }: { name: string }) => {
      told.push(`set ${kind} ${name}`);
      return refused.has(name) ? [{ path: "field", message: "no" }] : [];
    },
    remove: (name: string) => told.push(`remove ${kind} ${name}`),
  });
  const routeNames = new Set<string>();
  const registry = new ConfigRegistry(clock);
  const intake = new ResourceIntake({
    clock,
    registry,
    clusters: { ...part("cluster"), warming, edsNames: eds },
    listeners: {
      ...part("listener"),
      routeNames,
      dependenciesChanged: () => {},
      releaseSockets: () => told.push("release sockets"),
    },
    routes: { ...part("routes"), clustersChanged: () => told.push("clusters changed") },
    filterConfigs: new FilterConfigs(),
    subscribe: (kind: ResourceKind, names: ReadonlySet<string> | "*") =>
      told.push(`subscribe ${kind} ${names === "*" ? "*" : [...names].join(",")}`),
    clusterRemovalGrace: 5000,
  } as unknown as IntakeDependencies);
  const apply = (kind: keyof typeof SCHEMAS, names: readonly string[], removed: readonly string[] = []) => {
    told.length = 0;
    const resources = names.map((name) => ({
      name,
      version: "1",
      message: create(SCHEMAS[kind], { name }),
      faults: [],
    }));
    return intake.apply({ kind, version: "1", resources, removed } satisfies IncomingUpdate);
  };
  return { clock, told, warming, eds, refused, routeNames, registry, intake, apply };
}

describe("ResourceIntake", () => {
  it("asks for listeners once every cluster that they may name can serve", () => {
    const { told, warming, eds, intake, apply } = setUp();
    warming.add("a");
    eds.add("a");
    apply("cluster", ["a"]);
    expect(told).toEqual(["set cluster a", "subscribe endpoints a"]);
    warming.clear();
    intake.clusterWarmed();
    expect(told.at(-1)).toBe("subscribe listener *");
    expect(intake.initialized).toBe(false);
    apply("listener", []);
    expect(intake.initialized).toBe(true);
  });

  it("removes listeners before it adds others, and gives free addresses up after that", () => {
    const { told, apply } = setUp();
    apply("listener", ["new"], ["old"]);
    expect(told).toEqual(["remove listener old", "set listener new", "release sockets"]);
  });

  it("keeps a removed cluster for the routes that follow, and for good when it comes back", () => {
    const { told, clock, apply } = setUp();
    apply("cluster", ["a", "b"]);
    apply("cluster", [], ["a", "b"]);
    clock.advance(4999);
    expect(told).toEqual([]);
    apply("cluster", ["b"]);
    clock.advance(1);
    expect(told).toEqual(["set cluster b", "remove cluster a", "clusters changed"]);
  });

  it("keeps the last table of a listener that still names it", () => {
    const { told, routeNames, apply } = setUp();
    routeNames.add("80");
    apply("routes", [], ["80", "81"]);
    expect(told).toEqual(["remove routes 81"]);
  });

  it("takes the neighbours of what it refuses, and keeps the reason", () => {
    const { refused, registry, apply } = setUp();
    refused.add("bad");
    expect(apply("cluster", ["good", "bad"])).toEqual([{ name: "bad", faults: [{ path: "field", message: "no" }] }]);
    expect(registry.resources("cluster").map(({ name }) => name)).toEqual(["good"]);
    expect(registry.refusals("cluster")).toMatchObject([{ name: "bad", details: "field: no" }]);
  });
});
