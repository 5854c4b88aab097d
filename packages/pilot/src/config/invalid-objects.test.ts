import { describe, expect, it } from "vitest";
import { object, service } from "../model/testing/push-of.ts";
import type { Kind } from "./config-object.ts";
import { ConfigStore } from "./config-store.ts";
import { readConfig } from "./read-config.ts";

type Row = readonly [kind: Kind, severity: "error" | "warning", path: string, spec: Readonly<Record<string, unknown>>];

const to = (host: string, more: object = {}) => [{ destination: { host }, ...more }];
const http = (route: object) => ({ hosts: ["reviews"], http: [route] });
const policy = (trafficPolicy: object) => ({ host: "reviews", trafficPolicy });
const entry = (more: object) => ({
  hosts: ["x.com"],
  resolution: "STATIC",
  ports: [{ number: 80, name: "http", protocol: "HTTP" }],
  ...more,
});
const server = (more: object) => ({
  selector: { istio: "gw" },
  servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"], ...more }],
});
const mutual = { mode: "MUTUAL", privateKey: "k" };

/** Invalid or suspicious, by the rules of control-plane §8.2–§8.9, with the place that must be named. */
const ROWS: readonly Row[] = [
  ["VirtualService", "error", "spec", { hosts: ["reviews"] }],
  ["VirtualService", "error", "spec.hosts", { hosts: ["*"], http: [{ route: to("a") }] }],
  ["VirtualService", "error", "spec.hosts", { hosts: ["a.com", "a.com"], http: [{ route: to("a") }] }],
  ["VirtualService", "error", "spec.hosts", { hosts: ["foo.*.com"], http: [{ route: to("a") }] }],
  ["VirtualService", "error", "spec.http[0]", http({})],
  ["VirtualService", "error", "spec.http[0]", http({ route: to("a"), redirect: { uri: "/" } })],
  ["VirtualService", "error", "spec.http[0]", http({ route: to("a"), directResponse: { status: 200 } })],
  ["VirtualService", "error", "spec.http[0].route[0]", http({ route: to("a", { weight: -1 }) })],
  ["VirtualService", "error", "spec.http[0].route", http({ route: [...to("a"), ...to("b")] })],
  ["VirtualService", "error", "spec.http[0].route[0].destination", http({ route: [{ destination: {} }] })],
  [
    "VirtualService",
    "error",
    "spec.http[0].route[0].destination.port",
    http({ route: [{ destination: { host: "a", port: { number: 70000 } } }] }),
  ],
  ["VirtualService", "error", "spec.http[0].timeout", http({ route: to("a"), timeout: "1ns" })],
  ["VirtualService", "error", "spec.http[0].timeout", http({ route: to("a"), timeout: "soon" })],
  [
    "VirtualService",
    "error",
    "spec.http[0].retries",
    http({ route: to("a"), retries: { attempts: 0, retryOn: "5xx" } }),
  ],
  ["VirtualService", "error", "spec.http[0].retries", http({ route: to("a"), retries: { attempts: -1 } })],
  [
    "VirtualService",
    "error",
    "spec.http[0].retries.retryOn",
    http({ route: to("a"), retries: { attempts: 1, retryOn: "sometimes" } }),
  ],
  ["VirtualService", "error", "spec.http[0].fault", http({ route: to("a"), fault: {} })],
  [
    "VirtualService",
    "error",
    "spec.http[0].fault.abort",
    http({ route: to("a"), fault: { abort: { httpStatus: 99 } } }),
  ],
  [
    "VirtualService",
    "error",
    "spec.http[0].fault.abort",
    http({ route: to("a"), fault: { abort: { httpStatus: 500, percentage: { value: 101 } } } }),
  ],
  ["VirtualService", "error", "spec.http[0].redirect", http({ redirect: {} })],
  ["VirtualService", "error", "spec.http[0].redirect", http({ redirect: { uri: "/", redirectCode: 200 } })],
  ["VirtualService", "error", "spec.http[0].directResponse", http({ directResponse: { status: 99 } })],
  ["VirtualService", "error", "spec.http[0].rewrite", http({ route: to("a"), rewrite: {} })],
  [
    "VirtualService",
    "error",
    "spec.http[0]",
    http({ route: to("a"), mirror: { host: "b" }, mirrors: [{ destination: { host: "c" } }] }),
  ],
  ["VirtualService", "error", "spec.http[0].match[0].uri", http({ match: [{ uri: { regex: "(" } }], route: to("a") })],
  [
    "VirtualService",
    "error",
    "spec.http[0].match[0].headers",
    http({ match: [{ headers: { x: { prefix: "" } } }], route: to("a") }),
  ],
  [
    "VirtualService",
    "error",
    "spec.http[0].headers.response",
    http({ route: to("a"), headers: { response: { remove: [":status"] } } }),
  ],
  [
    "VirtualService",
    "error",
    "spec.http[0].corsPolicy",
    http({ route: to("a"), corsPolicy: { allowMethods: ["FETCH"] } }),
  ],
  [
    "VirtualService",
    "error",
    "spec.tls[0]",
    { hosts: ["a.com"], tls: [{ match: [{ sniHosts: ["b.com"] }], route: to("a") }] },
  ],
  ["VirtualService", "error", "spec.tcp[0]", { hosts: ["a.com"], tcp: [{}] }],
  ["VirtualService", "warning", "spec.http", { hosts: ["reviews"], http: [{ route: to("a") }, { route: to("b") }] }],
  ["DestinationRule", "error", "spec.host", { host: "" }],
  ["DestinationRule", "error", "spec.subsets", { host: "a", subsets: [{ name: "v1" }, { name: "v1" }] }],
  ["DestinationRule", "error", "spec.subsets[0]", { host: "a", subsets: [{ name: "" }] }],
  ["DestinationRule", "error", "spec.trafficPolicy", policy({})],
  ["DestinationRule", "error", "spec.trafficPolicy.connectionPool", policy({ connectionPool: {} })],
  [
    "DestinationRule",
    "error",
    "spec.trafficPolicy.connectionPool.tcp",
    policy({ connectionPool: { tcp: { maxConnections: -1 } } }),
  ],
  [
    "DestinationRule",
    "error",
    "spec.trafficPolicy.loadBalancer",
    policy({ loadBalancer: { consistentHash: { httpCookie: { ttl: "1s" } } } }),
  ],
  [
    "DestinationRule",
    "error",
    "spec.trafficPolicy.loadBalancer",
    policy({ loadBalancer: { consistentHash: { httpHeaderName: "x", maglev: { tableSize: 4 } } } }),
  ],
  [
    "DestinationRule",
    "error",
    "spec.trafficPolicy.loadBalancer",
    policy({ loadBalancer: { localityLbSetting: { distribute: [{ from: "a/*", to: { "b/*": 50 } }] } } }),
  ],
  [
    "DestinationRule",
    "error",
    "spec.trafficPolicy.outlierDetection",
    policy({ outlierDetection: { maxEjectionPercent: 101 } }),
  ],
  ["DestinationRule", "error", "spec.trafficPolicy.tls", policy({ tls: mutual })],
  ["DestinationRule", "error", "spec.exportTo", { host: "a", exportTo: ["*", "b"] }],
  ["Gateway", "error", "spec", { selector: { istio: "gw" }, servers: [] }],
  ["Gateway", "error", "spec.servers[0].port", server({ port: { number: 80, name: "x", protocol: "SMOKE" } })],
  ["Gateway", "error", "spec.servers[0].port", server({ port: { number: 0, name: "x", protocol: "HTTP" } })],
  ["Gateway", "error", "spec.servers[0]", server({ hosts: [] })],
  ["Gateway", "error", "spec.servers[0].hosts", server({ hosts: ["short"] })],
  ["Gateway", "error", "spec.servers[0]", server({ port: { number: 443, name: "https", protocol: "HTTPS" } })],
  [
    "Gateway",
    "error",
    "spec.servers[0].tls",
    server({ port: { number: 443, name: "https", protocol: "HTTPS" }, tls: { mode: "SIMPLE" } }),
  ],
  ["Gateway", "error", "spec.servers[0]", server({ bind: "not-an-ip" })],
  ["Sidecar", "error", "spec", {}],
  ["Sidecar", "error", "spec.egress[0]", { egress: [{ hosts: [] }] }],
  ["Sidecar", "error", "spec.egress[0].hosts", { egress: [{ hosts: ["no-slash"] }] }],
  ["Sidecar", "error", "spec.egress", { egress: [{ hosts: ["./*"] }, { hosts: ["a/*"] }] }],
  [
    "Sidecar",
    "error",
    "spec.ingress[0]",
    { ingress: [{ port: { number: 80, name: "x", protocol: "HTTP" }, defaultEndpoint: "10.0.0.1:80" }] },
  ],
  ["Sidecar", "error", "spec.outboundTrafficPolicy", { outboundTrafficPolicy: { mode: "SOME" } }],
  ["Sidecar", "warning", "spec.egress[0].hosts", { egress: [{ hosts: ["*/*", "./*"] }] }],
  ["ServiceEntry", "error", "spec.hosts", entry({ hosts: ["*"] })],
  ["ServiceEntry", "error", "spec.hosts", entry({ hosts: [] })],
  ["ServiceEntry", "error", "spec", entry({ resolution: "NONE", endpoints: [{ address: "1.1.1.1" }] })],
  ["ServiceEntry", "error", "spec", entry({ resolution: "DNS", addresses: ["10.0.0.0/8"] })],
  [
    "ServiceEntry",
    "error",
    "spec.ports",
    entry({
      ports: [
        { number: 80, name: "a", protocol: "HTTP" },
        { number: 80, name: "b", protocol: "HTTP" },
      ],
    }),
  ],
  [
    "ServiceEntry",
    "error",
    "spec.ports",
    entry({
      ports: [
        { number: 80, name: "a", protocol: "HTTP" },
        { number: 81, name: "a", protocol: "HTTP" },
      ],
    }),
  ],
  ["ServiceEntry", "error", "spec", entry({ endpoints: [{ address: "host.com" }] })],
  [
    "ServiceEntry",
    "error",
    "spec",
    entry({ resolution: "DNS_ROUND_ROBIN", endpoints: [{ address: "a.com" }, { address: "b.com" }] }),
  ],
  [
    "ServiceEntry",
    "error",
    "spec",
    entry({ endpoints: [{ address: "1.1.1.1" }], workloadSelector: { labels: { a: "b" } } }),
  ],
  ["WorkloadEntry", "error", "spec", { address: "" }],
  ["WorkloadEntry", "error", "spec.address", { address: "unix://relative" }],
  ["PeerAuthentication", "error", "spec", { portLevelMtls: { 80: { mode: "STRICT" } } }],
  ["PeerAuthentication", "error", "spec.mtls", { mtls: { mode: "BLAH" } }],
  ["AuthorizationPolicy", "error", "spec", { action: "DENY" }],
  ["RequestAuthentication", "error", "spec.jwtRules[0]", { jwtRules: [{ issuer: "", audiences: ["a"] }] }],
  ["Telemetry", "error", "spec.tracing[0]", { tracing: [{ randomSamplingPercentage: 101 }] }],
  ["WasmPlugin", "error", "spec.url", { url: "ftp://x" }],
  ["EnvoyFilter", "error", "spec.configPatches[0]", { configPatches: [{ applyTo: "CLUSTER" }] }],
];

describe("a file set with invalid and suspicious objects", () => {
  const documents = ROWS.map(([kind, , , spec], index) => object(kind, `bad-${index}`, spec));
  const good = [service("good"), object("DestinationRule", "good", { host: "good" })];
  const store = new ConfigStore();
  const text = [good[0], ...documents, good[1]].map((entry) => JSON.stringify(entry, null, 2)).join("\n---\n");
  store.apply([{ reading: readConfig({ file: "all.yaml", text }) }]);
  const lines = text.split("\n");

  it("still serves everything that is valid", () => {
    expect(store.snapshot().get("Service/default/good")).toBeDefined();
    expect(store.snapshot().get("DestinationRule/default/good")).toBeDefined();
    const warned = ROWS.flatMap(([kind, severity], index) =>
      severity === "warning" ? [`${kind}/default/bad-${index}`] : [],
    );
    for (const key of warned) expect(store.snapshot().get(key), key).toBeDefined();
  });

  it.each(
    ROWS.map(([kind, severity, path, spec], index) => ({
      name: `${kind} ${index} at ${path}: ${JSON.stringify(spec).slice(0, 90)}`,
      kind,
      severity,
      path,
      index,
    })),
  )("names object, path, line and cure: $name", ({ kind, severity, path, index }) => {
    const label = `${kind} default/bad-${index}`;
    const faults = store.faults().filter((fault) => fault.object === label && fault.severity === severity);
    const fault = faults.find(
      (entry) => entry.path === path || entry.path.startsWith(`${path}.`) || entry.path.startsWith(`${path}[`),
    );
    expect(fault, JSON.stringify(faults)).toBeDefined();
    expect(fault?.message).not.toBe("");
    expect(fault?.cure).not.toBe("");
    const begin = lines.findIndex((line) => line.includes(`"bad-${index}"`));
    const end = lines.findIndex((line, at) => at > begin && line === "---");
    // The line is one of this object's own.
    expect(fault?.line).toBeGreaterThan(begin - 6);
    expect(fault?.line).toBeLessThanOrEqual(end);
    if (severity === "error") expect(store.snapshot().get(`${kind}/default/bad-${index}`)).toBeUndefined();
  });
});
