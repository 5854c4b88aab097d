import { describe, expect, it } from "vitest";
import { type Manifest, object, pushOf } from "../model/testing/push-of.ts";
import { telemetryFaults } from "./telemetry-faults.ts";

const PROVIDERS = [
  { name: "second", prometheus: {} },
  { name: "otel", envoyOtelAls: { service: "otel.default.svc.cluster.local", port: 4317 } },
];

/** `code object path`, of Telemetry objects by `<namespace>/<name>`, oldest first. */
function faultsOf(specs: Readonly<Record<string, Manifest>>, mesh: Manifest = {}): string[] {
  const push = pushOf([
    object("MeshConfig", "istio-system/mesh", { extensionProviders: PROVIDERS, ...mesh }),
    ...Object.entries(specs).map(([name, spec]) => object("Telemetry", name, spec)),
  ]);
  return telemetryFaults(push).map(({ code, object: of, path }) => `${code} ${of} ${path}`);
}

const to = (...names: string[]) => ({ providers: names.map((name) => ({ name })) });

describe("what of Telemetry has no effect is told", () => {
  it.each<[string, Record<string, Manifest>, Manifest, string[]]>([
    ["nothing wrong", { "a/t": { metrics: [to("Prometheus")], accessLogging: [to("envoy")] } }, {}, []],
    [
      "providers that nobody defined",
      { "a/t": { metrics: [to("x")], accessLogging: [to("envoy", "y")] } },
      {},
      [
        "unknown-provider Telemetry a/t spec.metrics[0].providers[0]",
        "unknown-provider Telemetry a/t spec.accessLogging[0].providers[1]",
      ],
    ],
    [
      "providers of another kind",
      { "a/t": { metrics: [to("envoy")], accessLogging: [to("otel"), to("stackdriver"), to("prometheus")] } },
      {},
      [
        "unsupported-provider Telemetry a/t spec.metrics[0].providers[0]",
        "unsupported-provider Telemetry a/t spec.accessLogging[0].providers[0]",
        "unsupported-provider Telemetry a/t spec.accessLogging[1].providers[0]",
        "unsupported-provider Telemetry a/t spec.accessLogging[2].providers[0]",
      ],
    ],
    [
      "defaults of the mesh",
      {},
      { defaultProviders: { metrics: ["x"], accessLogging: ["envoy", "otel"] } },
      [
        "unknown-provider MeshConfig mesh spec.defaultProviders.metrics[0]",
        "unsupported-provider MeshConfig mesh spec.defaultProviders.accessLogging[1]",
      ],
    ],
    [
      "two providers with the same series",
      { "a/t": { metrics: [to("prometheus", "second")] } },
      {},
      ["counted-once Telemetry a/t spec.metrics[0].providers"],
    ],
    [
      "a log without a provider and a default (IST0157)",
      { "a/t": { accessLogging: [{ disabled: true }] } },
      {},
      ["no-provider Telemetry a/t spec.accessLogging[0]"],
    ],
    [
      "but not where the root names one",
      { "istio-system/r": { accessLogging: [to("envoy")] }, "a/t": { accessLogging: [{ disabled: true }] } },
      {},
      [],
    ],
    [
      "a second object for the whole namespace (IST0160)",
      { "a/t": {}, "a/u": { selector: { matchLabels: { app: "a" } } }, "a/v": {}, "b/t": {} },
      {},
      ["second-telemetry Telemetry a/v spec"],
    ],
    ["tracing", { "a/t": { tracing: [{}] } }, {}, ["not-traced Telemetry a/t spec.tracing"]],
    [
      "targets that only waypoints have",
      { "a/t": { targetRefs: [{ group: "", kind: "Service", name: "s" }] } },
      {},
      ["no-waypoint Telemetry a/t spec.targetRefs"],
    ],
  ])("%s", (_, specs, mesh, expected) => expect(faultsOf(specs, mesh)).toEqual(expected));
});
