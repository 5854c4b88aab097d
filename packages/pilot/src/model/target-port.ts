import type { ServicePort } from "./service.ts";
import type { Workload } from "./workload.ts";

/** The number that a workload listens on for a service port; undefined when a name leads nowhere. */
export function targetPortOf(port: ServicePort, workload: Workload): number | undefined {
  return workload.config.kind === "Pod" ? podPort(port, workload) : entryPort(port, workload);
}

function podPort({ targetPort, protocol }: ServicePort, workload: Workload): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  const transport = protocol === "UDP" ? "UDP" : "TCP";
  const named = workload.containerPorts.find((port) => port.name === targetPort && port.protocol === transport);
  return named?.containerPort;
}

/** A WorkloadEntry maps the name of the target port or of the service port; otherwise the numbers hold (§7.8). */
function entryPort({ name, port, targetPort }: ServicePort, workload: Workload): number {
  const { namedPorts } = workload;
  const target = typeof targetPort === "string" ? namedPorts[targetPort] : undefined;
  return target ?? namedPorts[name] ?? (typeof targetPort === "number" ? targetPort : port);
}
