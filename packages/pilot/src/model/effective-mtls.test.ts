import { describe, expect, it } from "vitest";
import { effectiveMtls, namespaceMtls } from "./effective-mtls.ts";
import { type Manifest, object, pushOf } from "./testing/push-of.ts";

const LABELS = { app: "a" };

interface Case {
  readonly what: string;
  readonly policies: readonly Manifest[];
  readonly port?: number;
  readonly namespace?: string;
  readonly mode: string;
  readonly client?: string;
}

function policy(name: string, mode: string | null, more: Manifest = {}, created?: string): Manifest {
  const spec = { ...(mode !== null && { mtls: { mode } }), ...more };
  return object(
    "PeerAuthentication",
    name,
    spec,
    created === undefined ? {} : { metadata: { creationTimestamp: created } },
  );
}

const SELECTOR = { selector: { matchLabels: LABELS } };
const STRICT_8080 = { ...SELECTOR, portLevelMtls: { 8080: { mode: "STRICT" }, 9090: { mode: "UNSET" } } };

const CASES: readonly Case[] = [
  { what: "nothing set", policies: [], mode: "PERMISSIVE" },
  { what: "the mesh's", policies: [policy("istio-system/m", "STRICT")], mode: "STRICT" },
  {
    what: "the mesh's with an empty selector",
    policies: [policy("istio-system/m", "STRICT", { selector: {} })],
    mode: "STRICT",
  },
  {
    what: "a selector in the root namespace, ignored",
    policies: [policy("istio-system/m", "STRICT", SELECTOR)],
    mode: "PERMISSIVE",
  },
  {
    what: "such a selector for a workload there",
    policies: [policy("istio-system/m", "STRICT", SELECTOR)],
    namespace: "istio-system",
    mode: "PERMISSIVE",
  },
  {
    what: "the oldest of three for the mesh",
    policies: [
      policy("istio-system/a", "DISABLE", {}, "2026-01-02T00:00:00Z"),
      policy("istio-system/b", "STRICT", {}, "2026-01-01T00:00:00Z"),
      policy("istio-system/c", "PERMISSIVE", {}, "2026-01-03T00:00:00Z"),
    ],
    mode: "STRICT",
  },
  {
    what: "of two as old the first by name",
    policies: [policy("b", "DISABLE", {}, "2026-01-01T00:00:00Z"), policy("a", "STRICT", {}, "2026-01-01T00:00:00Z")],
    mode: "STRICT",
  },
  {
    what: "the namespace's over the mesh's",
    policies: [policy("istio-system/m", "DISABLE"), policy("n", "PERMISSIVE")],
    mode: "PERMISSIVE",
  },
  {
    what: "UNSET in the namespace",
    policies: [policy("istio-system/m", "STRICT"), policy("n", "UNSET")],
    mode: "STRICT",
  },
  {
    what: "no mode in the namespace",
    policies: [policy("istio-system/m", "STRICT"), policy("n", null)],
    mode: "STRICT",
  },
  { what: "another namespace's", policies: [policy("other/n", "STRICT")], mode: "PERMISSIVE" },
  {
    what: "the workload's over the namespace's",
    policies: [policy("n", "STRICT"), policy("w", "DISABLE", SELECTOR)],
    mode: "DISABLE",
    client: "STRICT",
  },
  { what: "UNSET for the workload", policies: [policy("n", "STRICT"), policy("w", "UNSET", SELECTOR)], mode: "STRICT" },
  {
    what: "a selector that misses",
    policies: [policy("w", "STRICT", { selector: { matchLabels: { app: "b" } } })],
    mode: "PERMISSIVE",
  },
  {
    what: "a port's own",
    policies: [policy("w", "DISABLE", STRICT_8080)],
    port: 8080,
    mode: "STRICT",
    client: "PERMISSIVE",
  },
  {
    what: "another port",
    policies: [policy("w", "DISABLE", STRICT_8080)],
    port: 80,
    mode: "DISABLE",
    client: "PERMISSIVE",
  },
  {
    what: "an UNSET port",
    policies: [policy("w", "DISABLE", STRICT_8080)],
    port: 9090,
    mode: "DISABLE",
    client: "PERMISSIVE",
  },
  {
    what: "a port of a workload that sets nothing",
    policies: [policy("n", "STRICT"), policy("w", "UNSET", STRICT_8080)],
    port: 9090,
    mode: "STRICT",
  },
];

describe("the effective mode of mutual TLS", () => {
  it.each(CASES)("$what: $mode", ({ policies, port, namespace = "default", mode, client = mode }) => {
    const push = pushOf(policies);
    expect(effectiveMtls(push, namespace, LABELS, port).mode).toBe(mode);
    expect(namespaceMtls(push, namespace).mode).toBe(client);
  });

  it("names the object and the field that set it", () => {
    const push = pushOf([policy("n", "STRICT"), policy("w", "DISABLE", STRICT_8080)]);
    const { config, path = "" } = effectiveMtls(push, "default", LABELS, 8080);
    expect([config?.name, path]).toEqual(["w", "spec.portLevelMtls.8080"]);
    expect(effectiveMtls(push, "default", {})).toMatchObject({ config: { name: "n" }, path: "spec.mtls.mode" });
    expect(effectiveMtls(push, "elsewhere", {})).toEqual({ mode: "PERMISSIVE" });
  });
});
