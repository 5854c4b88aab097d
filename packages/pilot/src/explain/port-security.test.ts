import { describe, expect, it } from "vitest";
import { object, pod, proxy, pushOf, service } from "../model/testing/push-of.ts";
import { portSecurity, refusesConnection } from "./port-security.ts";

const SERVER = { serverCertificate: "/c", privateKey: "/k" };
const port = (number: number, protocol: string) => ({ number, protocol, name: `p-${number}` });
const gateway = (number: number, protocol: string, tls?: object) => ({
  port: port(number, protocol),
  hosts: ["*"],
  ...(tls && { tls }),
});

const MESH = [
  object("Gateway", "g", {
    selector: { istio: "gateway" },
    servers: [
      gateway(80, "HTTP"),
      gateway(443, "HTTPS", { mode: "SIMPLE", ...SERVER }),
      gateway(444, "HTTPS", { mode: "MUTUAL", ...SERVER, caCertificates: "/ca" }),
      gateway(445, "TLS", { mode: "PASSTHROUGH" }),
      gateway(446, "TLS", { mode: "ISTIO_MUTUAL" }),
      gateway(90, "TCP"),
    ],
  }),
  object("PeerAuthentication", "off", { selector: { matchLabels: { app: "a" } }, mtls: { mode: "DISABLE" } }),
  service("a"),
  pod("a-v1", "10.0.0.1"),
  object("Sidecar", "a", {
    workloadSelector: { labels: { app: "a" } },
    ingress: [
      { port: port(8443, "HTTPS"), defaultEndpoint: "127.0.0.1:80", tls: { mode: "SIMPLE", ...SERVER } },
      { port: port(8080, "HTTP"), defaultEndpoint: "127.0.0.1:80" },
    ],
  }),
];

const push = pushOf(MESH);
const GATEWAY = proxy("gateway", { type: "router", labels: { istio: "gateway" } });
const SIDECAR = proxy("a-v1", { ipAddresses: ["10.0.0.1"] });

const WAYS = ["plaintext", "mutual-tls", "tls"] as const;

/** Which ways to speak a port takes. */
function taken(of: typeof GATEWAY, number: number, http: boolean) {
  const security = portSecurity({ proxy: of, push, telemetry: "native", mutualTls: true }, number);
  return WAYS.filter((speaks) => !refusesConnection(security, { speaks }, { number, http }));
}

describe("what a port takes, before any policy is asked", () => {
  it.each([
    ["HTTP in clear", 80, true, ["plaintext"]],
    ["HTTPS", 443, true, ["tls"]],
    ["HTTPS with the clients' certificates", 444, true, ["tls"]],
    ["TLS that is passed through", 445, false, ["mutual-tls", "tls"]],
    ["the mesh's own TLS", 446, false, ["mutual-tls"]],
    ["TCP, whatever the bytes are but the mesh's TLS", 90, false, ["plaintext", "tls"]],
  ] as const)("of a gateway: %s", (_what, number, http, ways) => {
    expect(taken(GATEWAY, number, http)).toEqual(ways);
  });

  it("of a Sidecar that ends TLS itself: that, where PeerAuthentication leaves it the port", () => {
    expect(taken(SIDECAR, 8443, true)).toEqual(["tls"]);
    expect(taken(SIDECAR, 8080, true)).toEqual(["plaintext"]);
  });

  it("names the server, the Sidecar's listener or the policy that says so", () => {
    const place = (of: typeof GATEWAY, number: number) => {
      const { place: found } = portSecurity({ proxy: of, push, telemetry: "native", mutualTls: true }, number);
      return `${found?.config.kind} ${found?.config.name} ${found?.path}`;
    };
    expect(place(GATEWAY, 443)).toBe("Gateway g spec.servers[1]");
    expect(place(SIDECAR, 8443)).toBe("Sidecar a spec.ingress[0]");
    expect(place(SIDECAR, 8080)).toBe("PeerAuthentication off spec.mtls.mode");
  });
});
