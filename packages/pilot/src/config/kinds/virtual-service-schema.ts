// VirtualService (§8.4).
import { hostCovers, hostsMatch } from "../host-name.ts";
import type { Cursor } from "../schema/cursor.ts";
import { isIP, reportProblem, subnet, wildcardDomainProblem } from "../schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import { checked, convert, describe, list, nonEmpty, type Reader, string } from "../schema/reader.ts";
import { destination, exportTo, port, weight } from "../schema/shared-readers.ts";
import { labels } from "../schema/text-rules.ts";
import { gatewayName, isClaimKey, optionalNamespace } from "./http-match-schema.ts";
import { checkWeights, httpRoute } from "./http-route-schema.ts";
import { warnUnreachable } from "./unreachable-rules.ts";
import type { RouteDestination, TcpRoute, TlsRoute, VirtualServiceSpec } from "./virtual-service.ts";

const routeDestination: Reader<RouteDestination> = object({
  destination: required(destination),
  weight: withDefault(weight, 0),
});

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>);

const l4Fields = {
  destinationSubnets: lists(subnet),
  port: optional(port),
  sourceLabels: withDefault(labels, NO_LABELS),
  sourceNamespace: withDefault(optionalNamespace, ""),
  gateways: lists(gatewayName),
} as const;

const tlsRoute: Reader<TlsRoute> = checked(
  object({
    match: required(list(object({ ...l4Fields, sniHosts: required(list(nonEmpty, { min: 1 })) }), { min: 1 })),
    route: required(list(routeDestination, { min: 1 })),
  }),
  ({ route }, at) => checkWeights(route, at.at("route")),
);

const tcpRoute: Reader<TcpRoute> = checked(
  object({
    match: lists(object(l4Fields, { unused: { sourceSubnet: string } })),
    route: required(list(routeDestination, { min: 1 })),
  }),
  ({ route }, at) => checkWeights(route, at.at("route")),
);

export const virtualService: Reader<VirtualServiceSpec> = convert(
  object({
    hosts: lists(string),
    gateways: lists(gatewayName),
    http: lists(httpRoute),
    tls: lists(tlsRoute),
    tcp: lists(tcpRoute),
    exportTo: withDefault(exportTo, Object.freeze([])),
  }),
  (written, at) => {
    const isDelegate = written.hosts.length === 0;
    if (isDelegate) checkDelegate(written, at);
    else checkHosts(written, at);
    if (written.http.length + written.tls.length + written.tcp.length === 0) {
      at.error("no-routes", "http, tcp or tls must be provided in virtual service.", "Add a route.");
    }
    checkSniHosts(written, at.at("tls"));
    checkClaims(written, at.at("http"));
    warnUnreachable(written.http, at.at("http"));
    const gateways = !isDelegate && written.gateways.length === 0 ? Object.freeze(["mesh"]) : written.gateways;
    return Object.freeze({ ...written, gateways });
  },
);

function checkDelegate(spec: VirtualServiceSpec, at: Cursor): void {
  const cure = "Add hosts, or remove it: a VirtualService without hosts is a delegate, which has http routes only.";
  for (const field of ["gateways", "tls", "tcp"] as const) {
    if (spec[field].length > 0) at.at(field).error("bad-delegate", `A delegate can't have ${field}.`, cure);
  }
  spec.http.forEach((route, index) => {
    if (route.delegate === undefined) return;
    const here = at.at("http").at(index).at("delegate");
    here.error("bad-delegate", "A delegate can't delegate further.", "Name the routes here.");
  });
}

function boundToMesh(spec: VirtualServiceSpec): boolean {
  return spec.gateways.length === 0 || spec.gateways.includes("mesh");
}

function checkHosts(spec: VirtualServiceSpec, at: Cursor): void {
  const hasGateway = spec.gateways.some((gateway) => gateway !== "mesh");
  const sniAllowed = hasGateway && spec.tls.length > 0;
  spec.hosts.forEach((host, index) => {
    const here = at.at("hosts").at(index);
    if (host === "*" && boundToMesh(spec)) {
      here.error(
        "bad-host",
        "The wildcard host * is not allowed for virtual services bound to the mesh gateway.",
        "Name hosts.",
      );
    } else if (isIP(host) === 0 && !(sniAllowed && isSniHost(host))) {
      reportProblem(
        host,
        wildcardDomainProblem(host),
        "bad-host",
        "Use a service name, a host name or *.example.com.",
        here,
      );
    }
  });
  checkDuplicateHosts(spec.hosts, at.at("hosts"));
}

const MAX_COMPARED_HOSTS = 1_000;

function checkDuplicateHosts(hosts: readonly string[], at: Cursor): void {
  const names = hosts.slice(0, MAX_COMPARED_HOSTS).map((host) => host.toLowerCase());
  names.forEach((host, index) => {
    const first = names.findIndex((other, position) => position < index && hostsMatch(other, host));
    if (first < 0) return;
    const message = `duplicate hosts in virtual service: ${hosts[first]} & ${hosts[index]}.`;
    at.at(index).error("duplicate-host", message, "Keep one, or split the VirtualService.");
  });
}

/** `outbound_.80_.subset_.host`, the SNI of AUTO_PASSTHROUGH gateways. */
export function isSniHost(host: string): boolean {
  const [direction, port, subset, name] = host.split("_.");
  if (direction !== "outbound" || port === undefined || subset === undefined || name === undefined) return false;
  return (
    /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535 && wildcardDomainProblem(name) === undefined
  );
}

function checkSniHosts(spec: VirtualServiceSpec, at: Cursor): void {
  const hosts = spec.hosts.map((host) => host.toLowerCase());
  spec.tls.forEach((route, r) => {
    route.match.forEach((match, m) => {
      match.sniHosts.forEach((sni, s) => {
        const here = at.at(r).at("match").at(m).at("sniHosts").at(s);
        if (isIP(sni) !== 0) {
          here.warn("sni-is-address", `${sni} is an address, and clients send none as SNI.`, "Use a host name.");
        } else if (!isSniHost(sni)) {
          reportProblem(sni, wildcardDomainProblem(sni), "bad-host", "Use a host name or *.example.com.", here);
        }
        if (hosts.some((host) => hostCovers(host, sni.toLowerCase()))) return;
        const message = `SNI host ${describe(sni)} is not a compatible subset of any of the virtual service hosts.`;
        here.error("sni-not-in-hosts", message, "Add the host to hosts, or correct it.");
      });
    });
  });
}

/** Claims exist only after a gateway validated a token (§8.4). */
function checkClaims(spec: VirtualServiceSpec, at: Cursor): void {
  if (!boundToMesh(spec) || spec.hosts.length === 0) return;
  spec.http.forEach((route, r) => {
    route.match.forEach((match, m) => {
      for (const field of ["headers", "withoutHeaders"] as const) {
        for (const key of Object.keys(match[field]).filter(isClaimKey)) {
          const here = at.at(r).at("match").at(m).at(field).at(key);
          here.error(
            "claims-in-mesh",
            "JWT claims can be matched at gateways only.",
            "Bind the VirtualService to gateways.",
          );
        }
      }
    });
  });
}
