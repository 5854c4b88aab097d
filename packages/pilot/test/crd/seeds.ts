import type { Kind } from "../../src/config/config-object.ts";
import type { Json } from "./schema.ts";

/** Beginnings of kinds and alternatives that the other objects lack; everything else is grown from them. */
export const SEEDS: readonly (readonly [Kind, Json])[] = [
  ["WorkloadEntry", { address: "10.0.0.1" }],
  ["WorkloadEntry", { network: "a" }],
  ["Telemetry", { selector: { matchLabels: { a: "b" } } }],
  ["EnvoyFilter", { workloadSelector: { labels: { a: "b" } }, configPatches: [] }],
  ["WorkloadEntry", { address: "unix:///a" }],
  ["ServiceEntry", { hosts: ["a.example.com"], ports: [{ number: 80, name: "a" }] }],
  [
    "ServiceEntry",
    {
      hosts: ["a.example.com"],
      resolution: "STATIC",
      ports: [{ number: 80, name: "a" }],
      workloadSelector: { labels: { a: "b" } },
    },
  ],
  [
    "ServiceEntry",
    {
      hosts: ["a.example.com"],
      resolution: "STATIC",
      ports: [{ number: 80, name: "a" }],
      endpoints: [{ address: "unix:///a" }],
    },
  ],
  ["ServiceEntry", { hosts: ["a.example.com"], resolution: "STATIC", ports: [{ number: 80, name: "a" }] }],
  ["ServiceEntry", { hosts: ["a.example.com"], resolution: "DNS", ports: [{ number: 80, name: "a" }] }],
  ["PeerAuthentication", { selector: { matchLabels: { a: "b" } }, portLevelMtls: { 80: { mode: "STRICT" } } }],
  ["RequestAuthentication", { jwtRules: [{ issuer: "a", jwksUri: "https://a.example.com/keys" }] }],
  ["RequestAuthentication", { jwtRules: [{ issuer: "a", jwks: '{"keys":[]}' }] }],
  [
    "AuthorizationPolicy",
    { action: "CUSTOM", provider: { name: "a" }, rules: [{ to: [{ operation: { hosts: ["a"] } }] }] },
  ],
  [
    "AuthorizationPolicy",
    { rules: [{ from: [{ source: { serviceAccounts: ["a"] } }], when: [{ key: "source.ip", values: ["10.0.0.1"] }] }] },
  ],
  [
    "Telemetry",
    { metrics: [{ overrides: [{ match: { metric: "REQUEST_COUNT" }, tagOverrides: { a: { value: "b" } } }] }] },
  ],
  [
    "Telemetry",
    {
      tracing: [{ customTags: { a: { literal: { value: "b" } } } }],
      accessLogging: [{ filter: { expression: "true" } }],
    },
  ],
  ["Telemetry", { metrics: [{ overrides: [{ tagOverrides: { a: { operation: "REMOVE" } } }] }] }],
  ["WasmPlugin", { url: "a", vmConfig: { env: [{ name: "a", valueFrom: "HOST" }] } }],
  ["WasmPlugin", { url: "oci://a.example.com/b:1", vmConfig: { env: [{ name: "a", value: "b" }] } }],
  ["ProxyConfig", { concurrency: 2 }],
  [
    "EnvoyFilter",
    {
      configPatches: [
        {
          applyTo: "HTTP_FILTER",
          match: { context: "WAYPOINT", waypoint: { filter: { name: "a" } } },
          patch: { operation: "REMOVE" },
        },
      ],
    },
  ],
  [
    "EnvoyFilter",
    {
      configPatches: [
        { applyTo: "CLUSTER", match: { cluster: { service: "a" } }, patch: { operation: "MERGE", value: {} } },
      ],
    },
  ],
  [
    "EnvoyFilter",
    {
      configPatches: [
        {
          applyTo: "HTTP_FILTER",
          match: {
            listener: {
              filterChain: {
                filter: { name: "envoy.filters.network.http_connection_manager", subFilter: { name: "a" } },
              },
            },
          },
          patch: { operation: "REMOVE" },
        },
      ],
    },
  ],
  [
    "Gateway",
    {
      servers: [
        {
          port: { number: 443, name: "a", protocol: "HTTPS" },
          hosts: ["a.example.com"],
          tls: { mode: "SIMPLE", credentialName: "a" },
        },
      ],
    },
  ],
  [
    "Gateway",
    {
      servers: [
        {
          port: { number: 443, name: "a", protocol: "HTTPS" },
          hosts: ["a.example.com"],
          tls: { mode: "MUTUAL", serverCertificate: "a", privateKey: "b", caCertificates: "c" },
        },
      ],
    },
  ],
  [
    "Sidecar",
    {
      ingress: [
        {
          port: { number: 80, name: "a", protocol: "HTTPS" },
          defaultEndpoint: "127.0.0.1:81",
          tls: { mode: "SIMPLE", serverCertificate: "a", privateKey: "b" },
        },
      ],
    },
  ],
  [
    "DestinationRule",
    {
      host: "a",
      trafficPolicy: {
        tls: { mode: "MUTUAL", clientCertificate: "a", privateKey: "b" },
        loadBalancer: { consistentHash: { httpCookie: { name: "a", ttl: "1s" } } },
      },
    },
  ],
  [
    "DestinationRule",
    {
      host: "a",
      trafficPolicy: {
        loadBalancer: { simple: "LEAST_REQUEST", warmup: { duration: "1s" } },
        outlierDetection: { consecutiveErrors: 5 },
      },
    },
  ],
  [
    "VirtualService",
    {
      hosts: ["a.com"],
      tls: [{ match: [{ sniHosts: ["a.com"] }], route: [{ destination: { host: "b" } }] }],
      tcp: [{ route: [{ destination: { host: "b" } }] }],
    },
  ],
  [
    "VirtualService",
    {
      hosts: ["a"],
      http: [
        {
          match: [{ uri: { exact: "/" } }],
          fault: { abort: { httpStatus: 500 }, delay: { fixedDelay: "1s" } },
          route: [{ destination: { host: "b" } }],
          corsPolicy: { allowOrigins: [{ exact: "a" }] },
        },
      ],
    },
  ],
];
