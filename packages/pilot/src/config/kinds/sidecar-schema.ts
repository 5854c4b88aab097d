// Sidecar (§8.5).
import type { Cursor } from "../schema/cursor.ts";
import { fqdnProblem, isDnsLabel, isIP, isUnixAddress, reportProblem, unixAddressProblem } from "../schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import { checked, describe, list, oneOf, type Reader, string } from "../schema/reader.ts";
import {
  checkPortNumber,
  checkProtocol,
  checkUnique,
  configPort,
  destination,
  labelsSelector,
} from "../schema/shared-readers.ts";
import type { ConfigPort } from "./common.ts";
import { connectionPool } from "./connection-pool-schema.ts";
import { checkServedHost } from "./gateway-schema.ts";
import { serverTls } from "./server-tls-schema.ts";
import type { OutboundTrafficPolicy, SidecarEgress, SidecarIngress, SidecarSpec } from "./sidecar.ts";

const captureMode = withDefault(oneOf("DEFAULT", "IPTABLES", "NONE"), "DEFAULT");

const ingress: Reader<SidecarIngress> = checked(
  object({
    port: required(configPort),
    bind: withDefault(string, ""),
    captureMode,
    defaultEndpoint: withDefault(string, ""),
    tls: optional(serverTls),
    connectionPool: optional(connectionPool),
  }),
  (read, at) => {
    checkIngressPort(read.port, at.at("port"));
    if (read.bind !== "" && isIP(read.bind) === 0) {
      at.at("bind").error("bad-address", `${describe(read.bind)} is no IP address.`, "Use an address, or remove bind.");
    }
    checkDefaultEndpoint(read.defaultEndpoint, at.at("defaultEndpoint"));
    if (read.tls !== undefined) checkIngressTls(read, read.tls, at.at("tls"));
  },
);

function checkIngressPort(port: ConfigPort, at: Cursor): void {
  checkPortNumber(port.number, at.at("number"));
  if (port.targetPort !== undefined) {
    at.at("targetPort").error("unsupported", "targetPort is not allowed here.", "Use defaultEndpoint.");
  }
  checkOptionalProtocol(port, at);
}

function checkOptionalProtocol(port: ConfigPort, at: Cursor, extra: readonly string[] = []): void {
  if (port.protocol !== "") checkProtocol(port.protocol, at.at("protocol"), extra);
  if (port.name !== "" && !isDnsLabel(port.name)) {
    at.at("name").error(
      "bad-name",
      `${describe(port.name)} is no port name.`,
      "Use letters, digits and inner hyphens.",
    );
  }
}

const ENDPOINT = /^(127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]):(\d{1,5})$/;

/** Where the application listens (§4.9). */
export function checkDefaultEndpoint(endpoint: string, at: Cursor): void {
  if (endpoint === "") return;
  const cure = "Use 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix:///path.";
  if (isUnixAddress(endpoint)) {
    reportProblem(endpoint, unixAddressProblem(endpoint), "bad-address", cure, at);
    return;
  }
  const match = ENDPOINT.exec(endpoint);
  if (match === null) at.error("bad-address", `${describe(endpoint)} is no place of an application.`, cure);
  else checkPortNumber(Number(match[2]), at);
}

function checkIngressTls(listener: SidecarIngress, tls: NonNullable<SidecarIngress["tls"]>, at: Cursor): void {
  const forbid = (name: string) =>
    at.error("tls-not-allowed", `sidecar: ${name} is not supported here.`, `Remove ${name}.`);
  if (tls.subjectAltNames.length > 0) forbid("subjectAltNames");
  if (tls.httpsRedirect) forbid("httpsRedirect");
  if (tls.credentialNames.length > 0) forbid("credentialName");
  if (tls.certificates.length > 1) forbid("tlsCertificates");
  if (tls.mode === "ISTIO_MUTUAL" || tls.mode === "AUTO_PASSTHROUGH") forbid(`mode ${tls.mode}`);
  if (!["TLS", "HTTPS"].includes(listener.port.protocol.toUpperCase())) {
    at.error(
      "tls-not-allowed",
      `A port of protocol ${listener.port.protocol} ends no TLS.`,
      "Use protocol TLS or HTTPS.",
    );
  }
}

const egress: Reader<SidecarEgress> = checked(
  object({
    port: optional(configPort),
    bind: withDefault(string, ""),
    captureMode,
    hosts: required(list(string, { min: 1 })),
  }),
  (read, at) => {
    if (read.port !== undefined) checkEgressPort(read, read.port, at);
    else checkBind(read, at.at("bind"));
    read.hosts.forEach((host, index) => {
      checkEgressHost(host, at.at("hosts").at(index));
    });
    checkUnique(
      read.hosts,
      (host) => host,
      (host, index) => at.at("hosts").at(index).warn("repeated-name", `${host} is listed twice.`, "Remove one."),
    );
    if (read.hosts.length > 1 && read.hosts.includes("*/*")) {
      at.at("hosts").warn("hosts-covered", "*/* imports everything, so the other hosts add nothing.", "Keep one form.");
    }
  },
);

function checkEgressPort(listener: SidecarEgress, port: ConfigPort, at: Cursor): void {
  checkOptionalProtocol(port, at.at("port"), ["HTTP_PROXY"]);
  if (port.number !== 0) {
    checkPortNumber(port.number, at.at("port").at("number"));
    checkBind(listener, at.at("bind"));
    return;
  }
  if (!isUnixAddress(listener.bind)) {
    at.at("port")
      .at("number")
      .error("bad-port", "Port 0 is for Unix sockets only.", "Set a number, or bind: unix:///path.");
  } else {
    reportProblem(
      listener.bind,
      unixAddressProblem(listener.bind),
      "bad-address",
      "Write unix:///path or unix://@name.",
      at.at("bind"),
    );
  }
  if (listener.captureMode === "IPTABLES") {
    at.at("captureMode").error(
      "bad-capture-mode",
      "Traffic to a Unix socket can't be captured.",
      "Use DEFAULT or NONE.",
    );
  }
}

function checkBind({ bind }: SidecarEgress, at: Cursor): void {
  if (bind === "") return;
  if (isUnixAddress(bind)) at.error("bad-address", "A Unix socket needs port number 0.", "Set port.number to 0.");
  else if (isIP(bind) === 0)
    at.error("bad-address", `${describe(bind)} is no IP address.`, "Use an address, or remove bind.");
}

/** `namespace/dns`; the namespace may be `*`, `.` or `~`. */
function checkEgressHost(text: string, at: Cursor): void {
  const [namespace = "", host, rest] = text.split("/");
  if (host === undefined || rest !== undefined) {
    at.error("bad-host", `${describe(text)} is not of the form namespace/host.`, 'Write "./*", "*/*" or "ns/host".');
    return;
  }
  if (!["*", ".", "~"].includes(namespace) && !isDnsLabel(namespace)) {
    at.error("bad-host", `${describe(namespace)} is no namespace.`, "Use *, ., ~ or the name of a namespace.");
  }
  checkServedHost(host, at);
}

export const outboundTrafficPolicy: Reader<OutboundTrafficPolicy> = checked(
  object({
    mode: withDefault(oneOf("REGISTRY_ONLY", "ALLOW_ANY"), "REGISTRY_ONLY"),
    egressProxy: optional(destination),
  }),
  ({ mode, egressProxy }, at) => {
    if (egressProxy === undefined) return;
    const here = at.at("egressProxy");
    if (mode !== "ALLOW_ANY")
      here.error("bad-egress-proxy", "An egress proxy needs mode ALLOW_ANY.", "Set mode: ALLOW_ANY.");
    reportProblem(
      egressProxy.host,
      fqdnProblem(egressProxy.host),
      "bad-host",
      "Use a full host name.",
      here.at("host"),
    );
    if (egressProxy.port === undefined)
      here.error("missing-field", "The egress proxy has no port.", "Add port: {number: …}.");
  },
);

export const sidecar: Reader<SidecarSpec> = checked(
  object({
    workloadSelector: optional(labelsSelector),
    ingress: lists(ingress),
    egress: lists(egress),
    outboundTrafficPolicy: optional(outboundTrafficPolicy),
    inboundConnectionPool: optional(connectionPool),
  }),
  (read, at) => {
    const settings = read.outboundTrafficPolicy ?? read.inboundConnectionPool;
    if (read.ingress.length + read.egress.length === 0 && settings === undefined) {
      at.error("empty-settings", "sidecar: empty configuration provided.", "Add egress, ingress or a policy.");
    }
    checkIngressPorts(read, at.at("ingress"));
    checkEgressPorts(read.egress, at.at("egress"));
  },
);

function checkIngressPorts(spec: SidecarSpec, at: Cursor): void {
  checkUnique(
    spec.ingress,
    (entry) => entry.port.number,
    (name, index, first) => {
      const message = `ports on inbound listeners must be unique: ${name} is also that of ingress[${first}].`;
      at.at(index).at("port").at("number").error("repeated-port", message, "Use another port, or remove one.");
    },
  );
  spec.ingress.forEach((entry, index) => {
    const pool = entry.connectionPool ?? spec.inboundConnectionPool;
    if (pool?.http === undefined || !["TCP", "MONGO", "REDIS", "MYSQL"].includes(entry.port.protocol.toUpperCase()))
      return;
    at.at(index).warn("pool-unused", "HTTP pool settings have no effect on a TCP port.", "Use tcp settings.");
  });
}

/**
 * Upstream wants port numbers to be unique whatever the address. Here address and port together count: without
 * capture, each service of one port number has a listener on a loopback address of its own (§4.9).
 */
function checkEgressPorts(listeners: readonly SidecarEgress[], at: Cursor): void {
  const catchAlls = listeners.flatMap((listener, index) => (listener.port === undefined ? [index] : []));
  for (const index of catchAlls) {
    if (index === listeners.length - 1) continue;
    const message = "sidecar: the egress listener with empty port should be the last listener in the list.";
    at.at(index).error("catch-all-not-last", message, "Move it to the end; there can be one only.");
  }
  const place = ({ bind, port }: SidecarEgress) => {
    if (port === undefined) return undefined;
    return port.number === 0 ? bind : `${bind}:${port.number}`;
  };
  checkUnique(listeners, place, (name, index, first) => {
    const message = `${name} is also bound by egress[${first}].`;
    at.at(index).error("repeated-port", message, "Use another port or address, or merge the two.");
  });
}
