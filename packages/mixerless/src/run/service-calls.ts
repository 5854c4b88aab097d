import { CommandError } from "../mesh/command-error.ts";
import type { RegistryService } from "../mesh/pilot-client.ts";

/** One port of one service that a program may call. */
export interface ServiceCall {
  readonly host: string;
  readonly namespace: string;
  /** Short name, as the program's environment has it. */
  readonly name: string;
  readonly port: number;
  /** `http`, `http2`, `grpc` or `tcp`. */
  readonly protocol: string;
  readonly portName: string;
  /** The service is there because a workload joined, not because a file defines it. */
  readonly joined: boolean;
}

export const DEFAULT_PORT = 8080;
const DOMAIN = "svc.cluster.local";

/**
 * The services that a program may call. `wanted` names them as `name[.namespace][:port]`, known or to come;
 * without it, every service of the program's namespace but its own.
 */
export function serviceCalls(
  registry: readonly RegistryService[],
  own: { readonly service: string; readonly namespace: string },
  wanted: readonly string[],
): ServiceCall[] {
  if (wanted.length > 0) return wanted.flatMap((text) => named(text, registry, own.namespace));
  const ownHost = `${own.service}.${own.namespace}.${DOMAIN}`;
  return registry
    .filter(({ hostname, namespace }) => namespace === own.namespace && hostname !== ownHost && isLocal(hostname))
    .sort((a, b) => (a.hostname < b.hostname ? -1 : 1))
    .slice(0, 254)
    .flatMap(portsOf);
}

function named(text: string, registry: readonly RegistryService[], ownNamespace: string): ServiceCall[] {
  const match = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?))?(?::(\d{1,5}))?$/.exec(text);
  const [, name = "", namespace = ownNamespace, portText] = match ?? [];
  const port = portText === undefined ? undefined : Number(portText);
  if (match === null || port === 0 || (port ?? 0) > 65_535)
    throw new CommandError(`--calls "${text}" is not of the form name[.namespace][:port].`, 2);
  const host = `${name}.${namespace}.${DOMAIN}`;
  const known = registry.find(({ hostname }) => hostname === host);
  const ports = (known === undefined ? [] : portsOf(known)).filter((call) => port === undefined || call.port === port);
  if (ports.length > 0) return ports;
  // It may join later; until then its callers get 503.
  return [{ host, namespace, name, port: port ?? DEFAULT_PORT, protocol: "http", portName: "http", joined: true }];
}

function portsOf({ hostname, namespace, ports, source }: RegistryService): ServiceCall[] {
  const name = hostname.split(".")[0] ?? hostname;
  // Further ports that stand for single callers are not for others.
  return ports
    .filter((port) => !/^(http|http2|grpc|tcp)-for-/.test(port.name))
    .map((port) => ({
      host: hostname,
      namespace,
      name,
      port: port.port,
      protocol: kind(port.protocol),
      portName: port.name,
      joined: source.includes("(joined/"),
    }));
}

function kind(protocol: string): string {
  const lower = protocol.toLowerCase();
  if (lower.startsWith("grpc")) return "grpc";
  return lower === "http2" || lower === "tcp" || lower === "http" ? lower : "tcp";
}

function isLocal(hostname: string): boolean {
  return hostname.endsWith(`.${DOMAIN}`);
}
