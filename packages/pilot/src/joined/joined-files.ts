import type { JoinRequest } from "./join-request.ts";

const NETWORKING = "networking.istio.io/v1";

/** A service that only joined workloads make up. */
export function serviceFile({ namespace, service }: JoinRequest): string {
  return `joined/${namespace}/service/${service}`;
}

export function workloadFile({ namespace, name }: JoinRequest): string {
  return `joined/${namespace}/workload/${name}`;
}

export function hostOf({ service, namespace }: JoinRequest): string {
  return `${service}.${namespace}.svc.cluster.local`;
}

/** One joined workload as others are to see it. */
export interface JoinedState {
  readonly request: JoinRequest;
  /** Whether it may be sent requests. */
  readonly healthy: boolean;
}

/**
 * The resources that stand for joined workloads, as the text of one file each, so that they are read and
 * validated like everybody's. A service that the configuration defines itself gets no second definition.
 */
export function joinedFiles(
  joined: readonly JoinedState[],
  isDefinedElsewhere: (request: JoinRequest) => boolean,
): Map<string, string> {
  const files = new Map<string, string>();
  const requests = joined.map(({ request }) => request);
  for (const { request, healthy } of joined) {
    const extra = callerPorts(request, requests);
    files.set(workloadFile(request), text([workloadEntry(request, extra, healthy), sidecar(request)]));
    if (!isDefinedElsewhere(request)) files.set(serviceFile(request), text([service(request, extra)]));
  }
  return files;
}

/**
 * An egress listener serves a port only when the service has it. Callers that share one address listen on
 * numbers of their own, so the service gets them as further ports [decision 7].
 */
function callerPorts(request: JoinRequest, joined: readonly JoinRequest[]): [name: string, port: number][] {
  const host = hostOf(request);
  return joined.flatMap((caller) =>
    caller.calls
      .filter((call) => call.host === host && call.bindPort !== call.port)
      .map((call): [string, number] => [`${request.protocol}-for-${caller.name}`.slice(0, 63), call.bindPort]),
  );
}

function service({ namespace, service: name, protocol, servicePort }: JoinRequest, extra: [string, number][]): object {
  const ports = [[protocol, servicePort] as const, ...extra];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      selector: { app: name },
      ports: ports.map(([port, number]) => ({ name: port, port: number, targetPort: servicePort })),
    },
  };
}

/** Health is written as Istio does for a machine whose agent probes the application. */
function workloadEntry(request: JoinRequest, extra: [string, number][], healthy: boolean): object {
  const { name, namespace, labels, address, protocol, inboundPort, serviceAccount } = request;
  const ports = Object.fromEntries([[protocol, inboundPort], ...extra.map(([port]) => [port, inboundPort])]);
  return {
    apiVersion: NETWORKING,
    kind: "WorkloadEntry",
    metadata: { name, namespace, labels, ...(request.reportsHealth ? { annotations: PROBED } : {}) },
    spec: { address, ports, labels, serviceAccount },
    ...(request.reportsHealth ? { status: healthStatus(healthy) } : {}),
  };
}

const PROBED = { "proxy.istio.io/health-checks-enabled": "true" };

function healthStatus(healthy: boolean): object {
  return { conditions: [{ type: "Healthy", status: healthy ? "True" : "False" }] };
}

function sidecar({ name, namespace, labels, address, protocol, inboundPort, application, calls }: JoinRequest): object {
  const egress = calls.map(({ host, namespace: of, protocol: kind, bind, bindPort }) => ({
    port: { number: bindPort, protocol: kind.toUpperCase(), name: `${kind}-${host.split(".")[0]}-${bindPort}` },
    bind,
    captureMode: "NONE",
    hosts: [`${of}/${host}`],
  }));
  return {
    apiVersion: NETWORKING,
    kind: "Sidecar",
    metadata: { name, namespace },
    spec: {
      workloadSelector: { labels: { app: labels.app, version: labels.version } },
      ingress: [
        {
          port: { number: inboundPort, protocol: protocol.toUpperCase(), name: protocol },
          bind: address,
          captureMode: "NONE",
          defaultEndpoint: application,
        },
      ],
      egress: egress.length > 0 ? egress : [{ hosts: ["~/*"] }],
    },
  };
}

/** JSON is YAML. */
function text(documents: readonly object[]): string {
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}
