import type { Protocol } from "./protocol.ts";

const BY_NAME: Readonly<Record<string, Protocol>> = {
  grpc: "GRPC",
  "grpc-web": "GRPC-Web",
  http: "HTTP",
  http2: "HTTP2",
  https: "HTTPS",
  tls: "TLS",
  tcp: "TCP",
  udp: "UDP",
  mongo: "Mongo",
  redis: "Redis",
  mysql: "MySQL",
  http_proxy: "HTTP_PROXY",
};

const BY_APP_PROTOCOL: Readonly<Record<string, Protocol>> = {
  "kubernetes.io/h2c": "HTTP2",
  "kubernetes.io/ws": "HTTP",
  "kubernetes.io/wss": "HTTPS",
};

/** SMTP, DNS, MySQL and MongoDB: the server speaks first or the port is never HTTP, so nothing is detected. */
const TCP_PORTS: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/** `protocol` of a ServiceEntry, Gateway or Sidecar port, taken literally; unknown or empty is detected. */
export function parseProtocol(text: string): Protocol {
  return lookUp(BY_NAME, text.toLowerCase()) ?? "auto";
}

export interface PortFacts {
  readonly name: string;
  readonly port: number;
  /** `TCP` or `UDP` of the Service. */
  readonly transport: string;
  readonly appProtocol: string;
}

/** The protocol of a Kubernetes Service port: appProtocol, else the name up to its first hyphen (§4.8). */
export function selectProtocol({ name, port, transport, appProtocol }: PortFacts): Protocol {
  if (transport === "UDP") return "UDP";
  const declared = appProtocol.toLowerCase();
  // A prefixed protocol that is not one of the known ones says nothing, and the name decides.
  const known = lookUp(BY_APP_PROTOCOL, declared) ?? (declared.includes("/") ? undefined : byPrefix(declared));
  const protocol = known ?? (declared === "" || declared.includes("/") ? byPrefix(name.toLowerCase()) : undefined);
  return protocol ?? (TCP_PORTS.has(port) ? "TCP" : "auto");
}

function byPrefix(name: string): Protocol | undefined {
  if (name === "grpc-web" || name.startsWith("grpc-web-")) return "GRPC-Web";
  const [prefix = ""] = name.split("-", 1);
  return prefix === "http_proxy" ? undefined : lookUp(BY_NAME, prefix);
}

function lookUp(table: Readonly<Record<string, Protocol>>, key: string): Protocol | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
