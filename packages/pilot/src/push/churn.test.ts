import { type ChangedResources, TypeUrl } from "@mixerless/xds";
import { describe, expect, it } from "vitest";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import { ConfigStore } from "../config/config-store.ts";
import { readConfig } from "../config/read-config.ts";
import { createPushContext } from "../model/create-push-context.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import { object, pod, proxy, service } from "../model/testing/push-of.ts";
import { pushScope } from "./affected-types.ts";
import { GENERATED_TYPES } from "./generate-resources.ts";
import { PilotSource } from "./pilot-source.ts";
import { referencedNames } from "./referenced-names.ts";

/** Some 6000 take five minutes. */
const ROUNDS = Number(process.env.MIXERLESS_CHURN_ROUNDS ?? 80);

const EVERYTHING: ChangedResources = new Map(GENERATED_TYPES.map((type) => [type, "all"]));

/** A proxy that asks again only for what a push says may have changed, and for names that it did not know. */
class Client {
  readonly held = new Map<string, Map<string, string>>();
  readonly node: ProxyNode;

  constructor(node: ProxyNode) {
    this.node = node;
  }

  take(source: PilotSource, changed: ChangedResources): void {
    for (const type of GENERATED_TYPES) {
      const input = { proxy: this.node, push: source.current, telemetry: source.telemetry };
      const wanted = referencedNames(input, type);
      const before = this.held.get(type) ?? new Map<string, string>();
      const due = changed.get(type);
      const ask = due === "all" || wanted === "wildcard" ? wanted : missing(wanted, before, due);
      if (wanted === "wildcard" && !changed.has(type) && this.held.has(type)) continue;
      const generated = source.generate(this.node, type, ask) ?? new Map();
      const now = new Map([...generated].map(([name, { version }]) => [name, version]));
      if (wanted !== "wildcard") for (const name of wanted) if (!now.has(name)) now.set(name, before.get(name) ?? "");
      this.held.set(type, now);
    }
  }
}

function missing(
  wanted: ReadonlySet<string>,
  held: ReadonlyMap<string, string>,
  due: ReadonlySet<string> | undefined,
): Set<string> {
  return new Set([...wanted].filter((name) => !held.has(name) || due?.has(name)));
}

function nodes(): ProxyNode[] {
  const uncaptured = { interceptionMode: "NONE" as const, labels: MESH_TLS };
  return [
    proxy("client-v1", { ...uncaptured, ipAddresses: ["10.0.0.1"] }),
    proxy("shop/client-v2", { ...uncaptured, ipAddresses: ["10.0.0.2"] }),
    proxy("a-v1", { ...uncaptured, ipAddresses: ["10.1.0.0"], locality: { region: "r1", zone: "z1", subzone: "" } }),
    proxy("istio-system/gw", { type: "router", labels: { istio: "gw", ...MESH_TLS }, ipAddresses: ["10.0.0.3"] }),
  ];
}

const MESH_TLS = { "security.istio.io/tlsMode": "istio" };

type Random = (below: number) => number;

/** Something of every kind that decides where traffic goes. */
function randomObject(pick: Random): { name: string; text: string } {
  const app = "abc"[pick(3)] ?? "a";
  const namespace = pick(4) === 0 ? "shop" : "default";
  const version = `v${1 + pick(2)}`;
  const named = `${namespace}/${app}`;
  const destinations = [1, 2].map((n) => ({ destination: { host: app, subset: `v${n}` }, weight: 1 + pick(9) }));
  const makers = [
    () => service(named, { ports: [{ name: pick(4) === 0 ? "tcp" : "http", port: 9080 + pick(2) }] }),
    () => {
      const labels = { version: `v${1 + pick(3)}`, ...(pick(2) === 0 ? MESH_TLS : {}) };
      const made = pod(`${named}-${version}`, `10.1.0.${pick(6)}`, labels);
      return { ...made, spec: { ...(made.spec as object), serviceAccountName: `account-${pick(2)}` } };
    },
    () =>
      object("ServiceEntry", named, {
        hosts: [`${app}.com`],
        location: "MESH_INTERNAL",
        resolution: pick(5) === 0 ? "DNS" : "STATIC",
        ports: [{ number: 9080, name: "http", protocol: "HTTP" }],
        endpoints: [
          { address: `10.2.0.${pick(5)}`, labels: { version }, serviceAccount: pick(2) === 0 ? "" : "inline" },
        ],
      }),
    () =>
      object("WorkloadEntry", `${named}-${version}`, {
        address: `10.3.0.${pick(4)}`,
        labels: { app, version, ...(pick(2) === 0 ? MESH_TLS : {}) },
        serviceAccount: `account-${pick(3)}`,
      }),
    () =>
      object("PeerAuthentication", `${namespace}/${pick(2) === 0 ? "all" : app}`, {
        ...(pick(2) === 0 ? { selector: { matchLabels: { app } }, portLevelMtls: { 9080: { mode: "DISABLE" } } } : {}),
        mtls: { mode: ["STRICT", "PERMISSIVE", "DISABLE"][pick(3)] },
      }),
    () =>
      object("DestinationRule", named, {
        host: app,
        ...(pick(2) === 0 ? {} : { trafficPolicy: { outlierDetection: { consecutive5xxErrors: 1 + pick(5) } } }),
        subsets: [1, 2].map((n) => ({ name: `v${n}`, labels: { version: `v${n}` } })),
      }),
    () =>
      object("VirtualService", named, {
        hosts: [app],
        gateways: ["mesh", "default/gw"],
        ...(pick(4) === 0 ? { tcp: [{ route: destinations }] } : {}),
        http: [
          { match: [{ sourceLabels: { version }, uri: { prefix: `/${pick(3)}` } }], route: destinations },
          { route: [{ destination: { host: `${"abc"[pick(3)]}.com` } }] },
        ],
      }),
    () => object("Sidecar", `${namespace}/default`, { egress: [{ hosts: [pick(2) === 0 ? "./*" : `*/${app}.com`] }] }),
    () =>
      object("Gateway", "default/gw", {
        selector: { istio: "gw" },
        servers: [{ port: { number: 8080 + pick(2), name: "http", protocol: "HTTP" }, hosts: ["*"] }],
      }),
    () =>
      object(
        "EndpointSlice",
        `${named}-1`,
        {},
        {
          metadata: { labels: { "kubernetes.io/service-name": app } },
          addressType: "IPv4",
          endpoints: [{ addresses: [`10.1.0.${pick(6)}`] }],
          ports: [{ name: "http", port: 9080 }],
          spec: undefined,
        },
      ),
  ];
  const made = (makers[pick(makers.length)] as () => Readonly<Record<string, unknown>>)();
  const metadata = made.metadata as { name: string; namespace: string };
  return { name: `${made.kind}-${metadata.namespace}-${metadata.name}.yaml`, text: JSON.stringify(made) };
}

function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Every client holds what one that comes now would get. */
function expectFresh(clients: readonly Client[], source: PilotSource, when: string): void {
  for (const { node, held } of clients) {
    const client = new Client(node);
    client.take(source, EVERYTHING);
    for (const type of GENERATED_TYPES) {
      const sorted = (versions: ReadonlyMap<string, string> | undefined) => [...(versions ?? [])].sort();
      expect(sorted(held.get(type)), `${when}: ${node.podKey} ${type}`).toEqual(sorted(client.held.get(type)));
    }
  }
}

describe("objects created, changed and deleted at random", () => {
  it.each([
    [1, false],
    [2, true],
    [3, true],
  ])(
    "leave every proxy with what a fresh start gives it (seed %i, mutual TLS %s)",
    (seed, mutualTls) => {
      const pick = seeded(seed);
      const store = new ConfigStore();
      const files = new Map<string, string>();
      const source = new PilotSource(createPushContext(store.snapshot()), "native", mutualTls);
      const clients = nodes().map((node) => new Client(node));
      for (const client of clients) client.take(source, EVERYTHING);
      let pushed: ConfigSnapshot = store.snapshot();
      for (let round = 0; round < ROUNDS; round++) {
        const changed = new Set<string>();
        for (let burst = 0; burst <= pick(3); burst++) {
          const { name, text } = randomObject(pick);
          const gone = pick(4) === 0;
          if (gone) files.delete(name);
          else files.set(name, text);
          const change = gone ? { removed: name } : { reading: readConfig({ file: name, text }) };
          for (const key of store.apply([change]).changed) changed.add(key);
        }
        expect(store.faults().filter(({ severity }) => severity === "error")).toEqual([]);
        const scope = pushScope(pushed, store.snapshot(), changed, mutualTls);
        pushed = store.snapshot();
        source.update(createPushContext(pushed));
        for (const client of clients) client.take(source, scope.forProxy(client.node));
        expectFresh(clients, source, `round ${round}`);
      }
      const fresh = new ConfigStore();
      fresh.apply([...files].map(([file, text]) => ({ reading: readConfig({ file, text }) })));
      const freshSource = new PilotSource(createPushContext(fresh.snapshot()), "native", mutualTls);
      expectFresh(clients, freshSource, "a fresh start");
      expect(clients.some(({ held }) => (held.get(TypeUrl.endpoint)?.size ?? 0) > 0)).toBe(true);
    },
    20_000 + ROUNDS * 200,
  );
});
