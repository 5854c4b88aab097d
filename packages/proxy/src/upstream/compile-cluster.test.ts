import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { TypedStructSchema } from "@mixerless/wire/udpa/type/v1/typed_struct";
import { describe, expect, it } from "vitest";
import { compileCluster } from "./compile-cluster.ts";

function withFilter(type: string) {
  const struct = create(TypedStructSchema, { typeUrl: `type.googleapis.com/${type}`, value: {} });
  const filters = [{ name: "f", typedConfig: anyPack(TypedStructSchema, struct) }];
  return compileCluster(create(ClusterSchema, { name: "c", loadAssignment: { clusterName: "c" }, filters }));
}

describe("network filters of a cluster", () => {
  it("may be the exchange of peers' metadata, as Istio's EnvoyFilters put it there", () => {
    expect(withFilter("envoy.tcp.metadataexchange.config.MetadataExchange")).toHaveProperty("config");
  });

  it("of any other kind are refused by name", () => {
    expect(withFilter("my.Filter")).toEqual({
      faults: [
        {
          path: "filters[0]",
          message: 'the network filter "f" of type my.Filter is not supported in a cluster; remove it',
        },
      ],
    });
  });
});
