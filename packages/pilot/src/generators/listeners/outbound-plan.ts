import { aliasTarget } from "../../model/alias-target.ts";
import type { Service } from "../../model/service.ts";
import type { EgressListener, SidecarScope } from "../../model/sidecar-scope.ts";
import { isHttp, isTcp } from "../is-http.ts";

/** A listener that a sidecar without capture opens for its application. */
export interface OutboundPlan {
  /** `<address>_<port>`. */
  readonly name: string;
  /** An IP address, or `unix://…`. */
  readonly bind: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** HTTP: routes by host among `services`. TCP: by server name among those that speak TLS, the rest to the one that does not. */
  readonly kind: "http" | "tcp";
  readonly egress: EgressListener;
  readonly services: readonly Service[];
  /** Serves all ports of its services at once, as a proxy that clients name or as a socket: hosts are known by port. */
  readonly everyPort: boolean;
  /**
   * The name of its routes. Istio names them by the port alone, which would make listeners of one port on several
   * addresses share routes; an address of its own gives a name of its own.
   */
  readonly routeName: string;
}

const DEFAULT_BIND = "127.0.0.1";

/**
 * Every egress listener by address and port: one HTTP listener for all HTTP services of a port, one
 * TCP listener for the first TCP service that claims it [control-plane §4.9]. The first to ask for an
 * address gets it.
 */
export function planOutbound(scope: SidecarScope, httpProxyPort = 0): OutboundPlan[] {
  const plans = new Map<string, OutboundPlan>();
  for (const egress of [...scope.egress, ...(httpProxyPort > 0 ? [everythingBy(scope, httpProxyPort)] : [])]) {
    const whole = planEveryPort(egress, plans);
    if (whole !== undefined) {
      if (!plans.has(whole.name)) plans.set(whole.name, whole);
      continue;
    }
    const ports = egress.port === undefined ? servicePorts(egress.services) : [egress.port.number];
    for (const port of ports) {
      const bind = egress.bind === "" ? DEFAULT_BIND : egress.bind;
      const name = `${bind}_${port}`;
      if (plans.has(name)) continue;
      const plan = planPort(scope, egress, name, bind, port);
      if (plan !== undefined) plans.set(name, plan);
    }
  }
  return [...plans.values()];
}

/** The listener of `proxyHttpPort`: whatever the workload may call, by name and port [control-plane §4.3]. */
function everythingBy(scope: SidecarScope, number: number): EgressListener {
  const virtualServices = new Set(scope.egress.flatMap((egress) => egress.virtualServices));
  return {
    port: { number, name: "http-proxy", protocol: "HTTP_PROXY", resolvedProtocol: "HTTP_PROXY" },
    bind: "",
    captureMode: "DEFAULT",
    services: scope.services,
    virtualServices: [...virtualServices],
    path: "",
  };
}

/** A Unix socket or an HTTP proxy; undefined for a listener that stands for ports. */
function planEveryPort(egress: EgressListener, plans: ReadonlyMap<string, OutboundPlan>): OutboundPlan | undefined {
  const isSocket = egress.bind.startsWith("unix:");
  if (!isSocket && egress.port?.resolvedProtocol !== "HTTP_PROXY") return undefined;
  const services = egress.services.filter(
    (service) => service.resolution !== "alias" && service.ports.some(({ protocol }) => isHttp(protocol)),
  );
  const rest = { kind: "http", egress, services, everyPort: true } as const;
  if (isSocket) return { ...rest, name: egress.bind, bind: egress.bind, port: 0, routeName: egress.bind };
  const port = egress.port?.number ?? 0;
  const bind = egress.bind === "" ? DEFAULT_BIND : egress.bind;
  const name = `${bind}_${port}`;
  const isFirst = [...plans.values()].every((plan) => plan.routeName !== HTTP_PROXY_ROUTES);
  return { ...rest, name, bind, port, routeName: isFirst ? HTTP_PROXY_ROUTES : name };
}

/** Istio's name for the routes of an HTTP proxy; further ones are named by their address. */
const HTTP_PROXY_ROUTES = "http_proxy";

function planPort(
  scope: SidecarScope,
  egress: EgressListener,
  name: string,
  bind: string,
  port: number,
): OutboundPlan | undefined {
  const serving = egress.services.filter(
    (service) => service.resolution !== "alias" && service.ports.some((entry) => entry.port === port),
  );
  const http = serving.filter((service) =>
    service.ports.some((entry) => entry.port === port && isHttp(entry.protocol)),
  );
  const declared = egress.port?.resolvedProtocol;
  const asHttp = declared === undefined || declared === "auto" ? http.length > 0 : isHttp(declared);
  const rest = { name, bind, port, egress, everyPort: false, routeName: egress.bind === "" ? String(port) : name };
  if (asHttp) return { ...rest, kind: "http", services: http };
  const speaksTcp = ({ ports }: Service) => ports.some((entry) => entry.port === port && isTcp(entry.protocol));
  const standIns = egress.services.filter((service) => speaksTcp(service) && leadsToTcp(scope, service, port));
  // A name that stands for a service has its listener where no service of its own right wants it.
  const tcp = [...serving.filter(speaksTcp), ...standIns];
  // TLS is told apart by the server name; of plain TCP the first service has the listener.
  const plain = tcp.find((service) => !isTlsPort(service, port));
  const services = tcp.filter((service) => service === plain || isTlsPort(service, port));
  return services.length === 0 ? undefined : { ...rest, kind: "tcp", services };
}

/** Whether a service is a stand-in (ExternalName) for one that takes TCP on the port. */
function leadsToTcp(scope: SidecarScope, { resolution, hostname }: Service, port: number): boolean {
  if (resolution !== "alias") return false;
  const target = scope.service(aliasTarget(hostname, scope.service));
  return (
    target !== undefined &&
    target.resolution !== "alias" &&
    target.ports.some((entry) => entry.port === port && isTcp(entry.protocol))
  );
}

/** Whether what a service gets on a port is TLS that it ends itself. */
export function isTlsPort({ ports }: Service, port: number): boolean {
  return ports.some((entry) => entry.port === port && (entry.protocol === "TLS" || entry.protocol === "HTTPS"));
}

function servicePorts(services: readonly Service[]): number[] {
  const ports = new Set(services.flatMap((service) => service.ports.map((entry) => entry.port)));
  return [...ports].sort((a, b) => a - b);
}
