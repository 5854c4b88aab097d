import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { packAny } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { describe, expect, it } from "vitest";
import { checkResource } from "./check-resource.ts";
import { TYPE_URLS } from "./resource-kinds.ts";

describe("a resource from the control plane", () => {
  it("is taken when every field is known", () => {
    const cluster = create(ClusterSchema, {
      name: "a",
      circuitBreakers: { thresholds: [{ maxRequests: 5, trackRemaining: true }] },
    });
    expect(checkResource("cluster", packAny(ClusterSchema, cluster)).faults).toEqual([]);
  });

  it("is refused by field when it asks for what this data plane cannot do", () => {
    const cluster = create(ClusterSchema, { name: "a", protocolSelection: 1, lbSubsetConfig: {} });
    expect(checkResource("cluster", packAny(ClusterSchema, cluster)).faults.map((fault) => fault.path)).toEqual([
      "lbSubsetConfig",
      "protocolSelection",
    ]);
    const limited = create(ClusterSchema, {
      name: "a",
      circuitBreakers: { perHostThresholds: [{ maxConnections: 1 }] },
      loadAssignment: { clusterName: "a", policy: { overprovisioningFactor: 140, dropOverloads: [{ category: "c" }] } },
    });
    expect(
      checkResource("cluster", packAny(ClusterSchema, limited))
        .faults.map((fault) => fault.path)
        .sort(),
    ).toEqual(["circuitBreakers.perHostThresholds", "loadAssignment.policy.dropOverloads"]);
    const listener = create(ListenerSchema, {
      name: "l",
      transparent: true,
      filterChains: [{ name: "c", onDemandConfiguration: {} }],
    });
    expect(checkResource("listener", packAny(ListenerSchema, listener)).faults.map((fault) => fault.path)).toEqual([
      "filterChains[0].onDemandConfiguration",
      "transparent",
    ]);
  });

  it("is refused when its bytes are no message, when it is of another type, and when it breaks a rule", () => {
    const garbage = create(AnySchema, { typeUrl: TYPE_URLS.cluster, value: Uint8Array.from([0xff, 0xff]) });
    expect(checkResource("cluster", garbage).faults).toHaveLength(1);
    const other = packAny(ListenerSchema, create(ListenerSchema, {}));
    expect(checkResource("cluster", other).faults[0]?.message).toContain("envoy.config.cluster.v3.Cluster");
    const unnamed = create(ClusterSchema, {});
    expect(checkResource("cluster", packAny(ClusterSchema, unnamed)).faults[0]?.path).toBe("name");
  });
});
