import { isIP } from "node:net";
import type { ProxyNode } from "../model/proxy-node.ts";

/** One service that a joining program calls, and the address on its own machine that stands for it. */
export interface JoinCall {
  /** Full name: `reviews.default.svc.cluster.local`. */
  readonly host: string;
  readonly namespace: string;
  readonly port: number;
  readonly protocol: string;
  readonly bind: string;
  readonly bindPort: number;
}

/** What a workload that joins over ADS says of itself. */
export interface JoinRequest {
  /** Made anew with every start of a program: tells a reconnection from another program of the same name. */
  readonly instance: string;
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly address: string;
  /** Name of the port: its protocol. */
  readonly protocol: string;
  readonly servicePort: number;
  /** Where the sidecar takes requests. */
  readonly inboundPort: number;
  /** Where the program itself listens. */
  readonly application: string;
  readonly calls: readonly JoinCall[];
  /** Its health is reported, and until it is well nobody is to be sent there. */
  readonly reportsHealth: boolean;
  /** For people: the process and its machine. */
  readonly owner: string;
}

/** Node metadata under which a joining workload says what Istio has no key for. */
const JOIN_KEY = "MIXERLESS_JOIN";

const MAX_CALLS = 254;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const HOST = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const PROTOCOLS = ["http", "http2", "grpc", "tcp"];

type Fields = Readonly<Record<string, unknown>>;

/** Null for a proxy that joins nothing; text says what is wrong with the offer. */
export function parseJoin(proxy: ProxyNode): JoinRequest | string | null {
  const offer = proxy.metadata[JOIN_KEY];
  if (offer === undefined) return null;
  if (!isFields(offer)) return `${JOIN_KEY} is not an object`;
  const port = podPort(proxy.metadata.POD_PORTS);
  if (port === null)
    return 'POD_PORTS must be the JSON text of one port, such as [{"name":"http","containerPort":8080,"protocol":"TCP"}]';
  if (!PROTOCOLS.includes(port.name)) return `the port is named "${port.name}", known are ${PROTOCOLS.join(", ")}`;
  const { instance, service, application, owner } = offer;
  for (const [key, value] of Object.entries({ NAME: proxy.name, NAMESPACE: proxy.namespace, service }))
    if (typeof value !== "string" || !LABEL.test(value))
      return `${key} ${JSON.stringify(value)} is no name: lower-case letters, digits and "-", at most 63`;
  if (!isText(instance, 64) || instance === "") return `${JOIN_KEY}.instance is missing`;
  if (!isText(application, 64) || !isSocket(application)) return `${JOIN_KEY}.application must be ip:port`;
  if (!isPort(offer.servicePort)) return `${JOIN_KEY}.servicePort must be a port`;
  if (proxy.labels.app !== service || !proxy.labels.version)
    return "LABELS must have app, which is the name of the service, and version";
  const { reportsHealth = false } = offer;
  if (typeof reportsHealth !== "boolean") return `${JOIN_KEY}.reportsHealth must be true or false`;
  const calls = parseCalls(offer.calls);
  if (typeof calls === "string") return calls;
  return Object.freeze({
    instance,
    name: proxy.name,
    namespace: proxy.namespace,
    service: service as string,
    labels: proxy.labels,
    serviceAccount: proxy.serviceAccount,
    address: proxy.ipAddresses[0] ?? "",
    protocol: port.name,
    servicePort: offer.servicePort,
    inboundPort: port.number,
    application,
    calls,
    reportsHealth,
    owner: isText(owner, 256) ? owner : "",
  });
}

function parseCalls(value: unknown): JoinCall[] | string {
  if (!Array.isArray(value) || value.length > MAX_CALLS)
    return `${JOIN_KEY}.calls must be a list of at most ${MAX_CALLS}`;
  const calls: JoinCall[] = [];
  for (const [at, entry] of value.entries()) {
    const call = parseCall(entry);
    if (call === null)
      return `${JOIN_KEY}.calls[${at}] needs host, namespace, port, protocol, bind (an IP address) and bindPort`;
    calls.push(call);
  }
  return calls;
}

function parseCall(entry: unknown): JoinCall | null {
  if (!isFields(entry)) return null;
  const { host, namespace, port, protocol, bind, bindPort } = entry;
  if (!isText(host, 253) || !HOST.test(host) || !isText(namespace, 63) || !LABEL.test(namespace)) return null;
  if (!isText(protocol, 16) || !PROTOCOLS.includes(protocol) || !isText(bind, 64) || isIP(bind) === 0) return null;
  if (!isPort(port) || !isPort(bindPort)) return null;
  return { host, namespace, port, protocol, bind, bindPort };
}

/** Istio's POD_PORTS is JSON as text. */
function podPort(value: unknown): { name: string; number: number } | null {
  if (!isText(value, 4096)) return null;
  let ports: unknown;
  try {
    ports = JSON.parse(value);
  } catch {
    return null;
  }
  const first: unknown = Array.isArray(ports) && ports.length === 1 ? ports[0] : null;
  if (!isFields(first)) return null;
  const { name, containerPort } = first;
  return typeof name === "string" && isPort(containerPort) ? { name, number: containerPort } : null;
}

function isSocket(text: string): boolean {
  const colon = text.lastIndexOf(":");
  return isIP(text.slice(0, colon).replace(/^\[|\]$/g, "")) !== 0 && isPort(Number(text.slice(colon + 1)));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown, limit: number): value is string {
  return typeof value === "string" && value.length <= limit;
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}
