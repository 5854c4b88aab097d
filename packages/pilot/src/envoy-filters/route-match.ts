import type { RouteConfiguration } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Route, VirtualHost } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { type GenerationContext, type Miss, missed, type Patch } from "./patch.ts";

/** Null when the routes are those that the patch means [control-plane §1.5]. */
export function missOfRouteConfiguration(
  { match }: Patch,
  { name }: Pick<RouteConfiguration, "name">,
  context: GenerationContext,
): Miss | null {
  const wanted = match.routeConfiguration;
  if (wanted === undefined) return null;
  if (wanted.name !== "" && wanted.name !== name) return missed(0, () => `routes ${name} are not named ${wanted.name}`);
  const facts = context === "GATEWAY" ? gatewayFacts(name) : { port: sidecarPort(name) };
  const { portNumber = 0 } = wanted;
  if (portNumber !== 0 && facts.port !== portNumber)
    return missed(1, () => `routes ${name} are of port ${facts.port || "none"}, not ${portNumber}`);
  if (context !== "GATEWAY") return null;
  const { portName = "", gateway = "" } = facts as GatewayFacts;
  if (wanted.portName !== "" && wanted.portName !== portName)
    return missed(2, () => `routes ${name} are of ${portName ? `the port name ${portName}` : "no port name"}`);
  if (wanted.gateway !== "" && wanted.gateway !== gateway)
    return missed(2, () => `routes ${name} are of ${gateway ? `the Gateway ${gateway}` : "no Gateway alone"}`);
  return null;
}

interface GatewayFacts {
  readonly port: number;
  readonly portName?: string;
  /** `namespace/name`. */
  readonly gateway?: string;
}

/** `http.<port>`, shared by all Gateways of the port, or `https.<port>.<port name>.<gateway>.<namespace>`. */
function gatewayFacts(name: string): GatewayFacts {
  const [kind, port, portName, gateway, namespace] = name.split(".");
  if (kind === "http") return { port: Number(port) };
  if (kind !== "https" || portName === undefined) return { port: 0 };
  return { port: Number(port), portName, gateway: `${namespace}/${gateway}` };
}

/** `80`, `inbound|80||`, and `<address>_80` of a listener with an address of its own. */
function sidecarPort(name: string): number {
  const found = /^(?:inbound\|)?(\d+)(?:\|\|)?$|_(\d+)$/.exec(name);
  return Number(found?.[1] ?? found?.[2] ?? 0);
}

/** Null when the virtual host is one that the patch means. */
export function missOfVirtualHost({ match }: Patch, host: VirtualHost, where: string): Miss | null {
  const wanted = match.routeConfiguration?.vhost;
  if (wanted === undefined) return null;
  if (wanted.name !== "" && wanted.name !== host.name)
    return missed(3, () => `virtual host ${host.name} of ${where} is not named ${wanted.name}`);
  if (wanted.domainName !== "" && !host.domains.includes(wanted.domainName))
    return missed(3, () => `virtual host ${host.name} of ${where} has no domain ${wanted.domainName}`);
  return null;
}

const ACTIONS: Readonly<Record<string, string>> = {
  route: "ROUTE",
  redirect: "REDIRECT",
  directResponse: "DIRECT_RESPONSE",
};

/** Whether the route is another than the patch means. */
export function missOfRoute({ match }: Patch, { name, action }: Route): boolean {
  const wanted = match.routeConfiguration?.vhost?.route;
  if (wanted === undefined) return false;
  if (wanted.name !== "" && wanted.name !== name) return true;
  if (wanted.action === "ANY" || action.case === undefined) return false;
  const mine = ACTIONS[action.case];
  // Actions that the API has no word for pass.
  return mine !== undefined && mine !== wanted.action;
}
