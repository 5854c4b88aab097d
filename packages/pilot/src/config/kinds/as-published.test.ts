import { describe, expect, it } from "vitest";
import type { Kind } from "../config-object.ts";
import { errors } from "../testing/verdicts.ts";

/** Found by the comparison with Istio's published schemas; here for where those are not at hand. */
const REFUSED: readonly (readonly [Kind, string, string])[] = [
  ["ServiceEntry", "{hosts: [a.com], endpoints: []}", "endpoints-not-allowed spec.endpoints"],
  [
    "ServiceEntry",
    "{hosts: [a.com], resolution: STATIC, endpoints: [], workloadSelector: {labels: {a: b}}}",
    "several-alternatives spec",
  ],
  ["WorkloadEntry", "{address: unix:///a, ports: {}}", "bad-port spec.ports"],
  [
    "AuthorizationPolicy",
    "{rules: [{from: [{source: {serviceAccounts: [a], namespaces: []}}]}]}",
    "several-alternatives spec.rules[0].from[0].source",
  ],
  ["AuthorizationPolicy", "{selector: {matchLabels: {a: b}}, targetRefs: []}", "several-attachments spec"],
  [
    "Telemetry",
    '{metrics: [{overrides: [{tagOverrides: {a: {operation: REMOVE, value: ""}}}]}]}',
    "value-not-allowed spec.metrics[0].overrides[0].tagOverrides.a",
  ],
  [
    "RequestAuthentication",
    "{jwtRules: [{issuer: a, jwksUri: https://a.com, jwks_uri: https://a.com}]}",
    "several-alternatives spec.jwtRules[0]",
  ],
  [
    "WasmPlugin",
    '{url: a, vmConfig: {env: [{name: a, valueFrom: HOST, value: ""}]}}',
    "value-not-allowed spec.vmConfig.env[0].value",
  ],
  ["WasmPlugin", "{url: a b}", "bad-url spec.url"],
  ["WasmPlugin", "{url: localhost:5000/a}", "bad-url spec.url"],
  ["WasmPlugin", "{url: a, match: [{ports: [{number: 80}, {number: 80}]}]}", "repeated-port spec.match[0].ports[1]"],
  ["WasmPlugin", "{url: a, verificationKey: 7}", "wrong-type spec.verificationKey"],
  ["ProxyConfig", "{concurrency: 2147483648}", "out-of-range spec.concurrency"],
  [
    "VirtualService",
    "{hosts: [a], http: [{directResponse: {status: 200, body: {bytes: a}}}]}",
    "bad-base64 spec.http[0].directResponse.body.bytes",
  ],
  [
    "VirtualService",
    "{hosts: [a], tcp: [{match: [{sourceSubnet: 7}], route: [{destination: {host: a}}]}]}",
    "wrong-type spec.tcp[0].match[0].sourceSubnet",
  ],
  [
    "Gateway",
    "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.com], defaultEndpoint: 7}]}",
    "wrong-type spec.servers[0].defaultEndpoint",
  ],
  [
    "EnvoyFilter",
    "{configPatches: [{applyTo: CLUSTER, match: {context: WAYPOINT}, patch: {operation: REMOVE}}]}",
    "bad-match spec.configPatches[0].match",
  ],
  [
    "EnvoyFilter",
    "{configPatches: [{applyTo: CLUSTER, match: {context: WAYPOINT, waypoint: {portNumber: 0}}, patch: {operation: REMOVE}}]}",
    "out-of-range spec.configPatches[0].match.waypoint.portNumber",
  ],
];

describe("what the published schemas and their rules refuse", () => {
  it.each(REFUSED)("is refused: %s %s", (kind, spec, error) => {
    expect(errors(kind, spec)).toEqual([error]);
  });
});
