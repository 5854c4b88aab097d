import { decodeBootstrap } from "@mixerless/proxy";
import { expect, it } from "vitest";
import type { Json } from "./node-identity.ts";
import { statsConfig } from "./stats-config.ts";

function patterns(metadata: Record<string, Json>): unknown[] {
  const decoded = decodeBootstrap({ statsConfig: statsConfig(metadata, ["10.0.0.1", "10.0.0.2"]) });
  expect(decoded.faults).toBeUndefined();
  const matcher = decoded.message?.statsConfig?.statsMatcher?.statsMatcher;
  if (matcher?.case !== "inclusionList") throw new Error("no list");
  return matcher.value.patterns.map(({ matchPattern }) =>
    matchPattern.case === "safeRegex" ? `re ${matchPattern.value.regex}` : `${matchPattern.case} ${matchPattern.value}`,
  );
}

it("shows of a sidecar's own stats what Istio shows", () => {
  expect(patterns({})).toEqual([
    "prefix reporter=",
    "prefix cluster_manager",
    "prefix listener_manager",
    "prefix server",
    "prefix cluster.xds-grpc",
    "prefix wasm",
    "suffix rbac.allowed",
    "suffix rbac.denied",
    "suffix shadow_allowed",
    "suffix shadow_denied",
    "re vhost\\..*\\.route\\..*",
    "prefix component",
    "prefix istio",
  ]);
});

it("adds what the annotations of the workload ask for, once for each of its addresses where they name one", () => {
  const shown = patterns({
    // As ISTIO_METAJSON_ANNOTATIONS puts them, and as the agent itself does.
    "sidecar.istio.io/statsInclusionPrefixes": "cluster.outbound, listener.{pod_ip}",
    "sidecar.istio.io/statsInclusionSuffixes": "upstream_cx_active",
    ANNOTATIONS: { "sidecar.istio.io/statsInclusionRegexps": "http\\..*" },
  });
  expect(shown).toEqual(
    expect.arrayContaining([
      "prefix cluster.outbound",
      "prefix listener.10.0.0.1",
      "prefix listener.10.0.0.2",
      "suffix upstream_cx_active",
      "re http\\..*",
    ]),
  );
});
