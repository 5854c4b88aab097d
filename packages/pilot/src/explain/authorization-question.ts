import { isIP } from "node:net";
import type { PolicyFacts } from "@mixerless/policy";
import type { GeneratorInput } from "../generators/generator-input.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import { type CallerConnection, callerConnection } from "./caller-connection.ts";
import { type InboundPort, inboundPorts } from "./inbound-ports.ts";
import { portSecurity } from "./port-security.ts";
import { type TokenVerdict, tokenVerdict } from "./token-verdict.ts";

/** One call that is to be judged: by whom, to what, asking for what. */
export interface AuthorizationQuestion {
  readonly port: InboundPort;
  readonly facts: PolicyFacts;
  /** The identity that the caller is taken to prove; null for plaintext. */
  readonly principal: string | null;
  readonly connection: CallerConnection;
  /** Whether the question says how the caller speaks, so that it is not for the port to refuse an identity. */
  readonly assumed: boolean;
  /** Null for a connection without requests. */
  readonly token: TokenVerdict | null;
}

/** Who is connected, and what time it is (milliseconds since the epoch). */
export interface QuestionContext {
  readonly proxies: readonly ProxyNode[];
  readonly now: number;
}

/** Of a caller of whom only the identity is known: an address that nobody has. */
const NO_ADDRESS = "0.0.0.0";

/**
 * Reads a question about a proxy from a query: `from` (a proxy, or spiffe://…) or `sourceIp`, `remoteIp`, `principal`
 * or `mtls` or `plaintext`, `subset`, `port`, `method`, `path`, `host`, `header=name:value` as often as wanted, `sni`.
 * `jwt` is the bearer's token. A text says what is wrong with it.
 */
export function readQuestion(
  query: URLSearchParams,
  jwt: string | null,
  input: GeneratorInput,
  context: QuestionContext,
): AuthorizationQuestion | string {
  const key = query.get("from");
  const named = key?.startsWith("spiffe://") === true;
  const caller = key === null ? undefined : callerOf(key, input, context.proxies);
  if (key !== null && caller === undefined && !named) return `No proxy "${key}" is connected.`;
  const sourceIp = query.get("sourceIp") ?? caller?.ipAddresses[0] ?? (named ? NO_ADDRESS : undefined);
  if (sourceIp === undefined) return "Say who calls: from=<proxy>, from=spiffe://… or sourceIp=<address>.";
  const remoteIp = query.get("remoteIp") ?? sourceIp;
  const wrong = [sourceIp, remoteIp].find((address) => isIP(address) === 0);
  if (wrong !== undefined) return `"${wrong}" is no IP address.`;
  const port = choosePort(query.get("port"), inboundPorts(input), input.proxy);
  if (typeof port === "string") return port;
  const headers = headersOf(query, jwt, input);
  if (typeof headers === "string") return headers;
  const given = query.get("principal") ?? (named ? key : query.has("mtls") ? identityOf(caller, input) : null);
  const connection = connectionOf(query, given, input, { caller, port: port.number });
  const principal = given ?? (connection.speaks === "mutual-tls" ? identityOf(caller, input) : null);
  const target = headers.get(":path")?.[0] ?? "";
  const token = port.http ? tokenVerdict(input, { headers, target, now: Math.floor(context.now / 1000) }) : null;
  if (typeof token === "string") return token;
  const known = { port, sourceIp, remoteIp, headers, principal, metadata: token?.metadata ?? {} };
  return { port, principal, connection, assumed: given !== null, token, facts: factsOf(query, input, known) };
}

function connectionOf(
  query: URLSearchParams,
  given: string | null,
  callee: GeneratorInput,
  { caller, port }: { readonly caller: ProxyNode | undefined; readonly port: number },
): CallerConnection {
  const said = { why: "", place: null, fails: null };
  if (given !== null) return { ...said, speaks: "mutual-tls" };
  if (query.has("plaintext")) return { ...said, speaks: "plaintext" };
  if (caller !== undefined)
    return callerConnection({
      caller: { ...callee, proxy: caller },
      callee,
      port,
      subset: query.get("subset") ?? "",
      identityOfCallee: identityOf(callee.proxy, callee) ?? "",
    });
  // Who calls from outside speaks TLS where a server asks for it, but never the mesh's.
  const { mode } = portSecurity(callee, port);
  const clear = mode === "DISABLE" || mode === "PERMISSIVE" || mode === "STRICT";
  return { ...said, speaks: clear ? "plaintext" : "tls" };
}

/** By name, or the first one with that identity. */
function callerOf(key: string, input: GeneratorInput, proxies: readonly ProxyNode[]): ProxyNode | undefined {
  if (!key.startsWith("spiffe://")) return findProxy(key, proxies);
  return proxies.find((proxy) => identityOf(proxy, input) === key);
}

export function findProxy(key: string, proxies: readonly ProxyNode[]): ProxyNode | undefined {
  return proxies.find((proxy) => proxy.podKey === key || proxy.id === key);
}

function choosePort(wanted: string | null, ports: readonly InboundPort[], proxy: ProxyNode): InboundPort | string {
  const found = wanted === null ? ports[0] : ports.find(({ number }) => String(number) === wanted);
  if (found !== undefined) return found;
  const list = ports.map(({ number, http }) => `${number} (${http ? "HTTP" : "TCP"})`).join(", ");
  return `${proxy.podKey} does not listen on port ${wanted ?? "any"}. It does on ${list || "none"}.`;
}

function headersOf(
  query: URLSearchParams,
  jwt: string | null,
  { proxy }: GeneratorInput,
): Map<string, string[]> | string {
  const headers = new Map([
    [":method", [query.get("method") ?? "GET"]],
    [":path", [query.get("path") ?? "/"]],
    [":authority", [query.get("host") ?? proxy.name]],
  ]);
  if (jwt !== null) headers.set("authorization", [`Bearer ${jwt}`]);
  for (const header of query.getAll("header")) {
    const colon = header.indexOf(":");
    if (colon < 1) return `header "${header}" is no name:value.`;
    const name = header.slice(0, colon).toLowerCase();
    const value = header.slice(colon + 1).trim();
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return headers;
}

function identityOf(caller: ProxyNode | undefined, { push }: GeneratorInput): string | null {
  if (caller === undefined) return null;
  const account = push.workload(caller)?.serviceAccount || caller.serviceAccount || "default";
  return `spiffe://${push.mesh.trustDomain}/ns/${caller.namespace}/sa/${account}`;
}

interface Known {
  readonly port: InboundPort;
  readonly sourceIp: string;
  readonly remoteIp: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly principal: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

function factsOf(query: URLSearchParams, { proxy }: GeneratorInput, known: Known): PolicyFacts {
  const { port, sourceIp, remoteIp, headers, principal } = known;
  const { http } = port;
  return {
    headers: (name) => (http ? (headers.get(name) ?? []) : []),
    path: http ? (headers.get(":path")?.[0] ?? "").replace(/[?#].*$/s, "") : "",
    destinationIp: proxy.ipAddresses[0] ?? "",
    destinationPort: port.number,
    directRemoteIp: sourceIp,
    remoteIp,
    requestedServerName: query.get("sni") ?? "",
    peer: principal === null ? null : { uriSans: [principal], dnsSans: [], subject: "" },
    metadata: (filter) => known.metadata[filter],
  };
}
