import { create } from "@bufbuild/protobuf";
import { VirtualClock } from "@mixerless/clock";
import { BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { describe, expect, it } from "vitest";
import { ConfigRegistry } from "../config/config-registry.ts";
import { ignoredFields } from "./ignored-fields.ts";

const CLUSTER = "envoy.config.cluster.v3.Cluster";
const EMPTY = create(BootstrapSchema, {});

function tracked(name: string) {
  const thresholds = [{ trackRemaining: true }, { maxRequests: 5, trackRemaining: true }];
  return create(ClusterSchema, { name, circuitBreakers: { thresholds } });
}

describe("fields that are accepted and not acted on", () => {
  it("are listed once for a message type, with the resources that set them counted and the first named", () => {
    const registry = new ConfigRegistry(new VirtualClock());
    for (const name of ["a", "b"]) registry.take("cluster", name, tracked(name), "1", true);
    registry.take("listener", "l", create(ListenerSchema, { name: "l", statPrefix: "x" }), "1", true);
    expect(ignoredFields(EMPTY, registry)).toEqual([
      {
        ...{ type: "envoy.config.cluster.v3.CircuitBreakers.Thresholds", field: "track_remaining", resources: 2 },
        example: { resource: "cluster a", path: "circuitBreakers.thresholds[0].trackRemaining" },
      },
      {
        ...{ type: "envoy.config.listener.v3.Listener", field: "stat_prefix", resources: 1 },
        example: { resource: "listener l", path: "statPrefix" },
      },
    ]);
  });

  it("are those of the configuration in use: none when their resource has gone", () => {
    const registry = new ConfigRegistry(new VirtualClock());
    registry.take("cluster", "a", tracked("a"), "1", true);
    registry.remove("cluster", "a");
    expect(ignoredFields(EMPTY, registry)).toEqual([]);
  });

  it("count in a static resource once, although the bootstrap has it too", () => {
    const registry = new ConfigRegistry(new VirtualClock());
    const cluster = create(ClusterSchema, { name: "a", waitForWarmOnInit: true });
    registry.take("cluster", "a", cluster, "", false);
    const bootstrap = create(BootstrapSchema, { staticResources: { clusters: [cluster] }, flagsPath: "/f" });
    expect(ignoredFields(bootstrap, registry).map(({ type, field, resources }) => [type, field, resources])).toEqual([
      ["envoy.config.bootstrap.v3.Bootstrap", "flags_path", 1],
      [CLUSTER, "wait_for_warm_on_init", 1],
    ]);
  });
});
