import type { Service } from "../../model/service.ts";
import type { EgressListener, SidecarScope } from "../../model/sidecar-scope.ts";
import { isHttp, isTcp } from "../is-http.ts";

/** A listener that a sidecar without capture opens for its application. */
export interface OutboundPlan {
  /** `<address>_<port>`. */
  readonly name: string;
  readonly bind: string;
  readonly port: number;
  /** HTTP: routes by host among `services`. TCP: by server name among those that speak TLS, the rest to the one that does not. */
  readonly kind: "http" | "tcp";
  readonly egress: EgressListener;
  readonly services: readonly Service[];
}

const DEFAULT_BIND = "127.0.0.1";

/**
 * Every egress listener by address and port: one HTTP listener for all HTTP services of a port, one
 * TCP listener for the first TCP service that claims it [control-plane §4.9]. The first to ask for an
 * address gets it.
 */
export function planOutbound(scope: SidecarScope): OutboundPlan[] {
  const plans = new Map<string, OutboundPlan>();
  for (const egress of scope.egress) {
    const ports = egress.port === undefined ? servicePorts(egress.services) : [egress.port.number];
    for (const port of ports) {
      const bind = egress.bind === "" ? DEFAULT_BIND : egress.bind;
      const name = `${bind}_${port}`;
      if (bind.startsWith("unix:") || plans.has(name)) continue;
      const plan = planPort(egress, name, bind, port);
      if (plan !== undefined) plans.set(name, plan);
    }
  }
  return [...plans.values()];
}

function planPort(egress: EgressListener, name: string, bind: string, port: number): OutboundPlan | undefined {
  const serving = egress.services.filter((service) => service.ports.some((entry) => entry.port === port));
  const http = serving.filter((service) =>
    service.ports.some((entry) => entry.port === port && isHttp(entry.protocol)),
  );
  const declared = egress.port?.resolvedProtocol;
  const asHttp = declared === undefined || declared === "auto" ? http.length > 0 : isHttp(declared);
  if (asHttp) return { name, bind, port, kind: "http", egress, services: http };
  const tcp = serving.filter((service) => service.ports.some((entry) => entry.port === port && isTcp(entry.protocol)));
  // TLS is told apart by the server name; of plain TCP the first service has the listener.
  const plain = tcp.find((service) => !isTlsPort(service, port));
  const services = tcp.filter((service) => service === plain || isTlsPort(service, port));
  return services.length === 0 ? undefined : { name, bind, port, kind: "tcp", egress, services };
}

/** Whether what a service gets on a port is TLS that it ends itself. */
export function isTlsPort({ ports }: Service, port: number): boolean {
  return ports.some((entry) => entry.port === port && (entry.protocol === "TLS" || entry.protocol === "HTTPS"));
}

function servicePorts(services: readonly Service[]): number[] {
  const ports = new Set(services.flatMap((service) => service.ports.map((entry) => entry.port)));
  return [...ports].sort((a, b) => a - b);
}

/**
 * The route configuration of an HTTP listener. Istio names it by the port alone, which would make
 * listeners of one port on several addresses share routes; an address of its own gives a name of its own.
 */
export function routeName(plan: OutboundPlan): string {
  return plan.egress.bind === "" ? String(plan.port) : plan.name;
}
