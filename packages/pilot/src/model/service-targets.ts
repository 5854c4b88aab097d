import type { EndpointIndex } from "./endpoint-index.ts";
import { selectorMatches } from "./labels.ts";
import type { ServiceTarget } from "./push-context.ts";
import type { Service } from "./service.ts";
import type { ServiceIndex } from "./service-index.ts";
import { targetPortOf } from "./target-port.ts";
import type { Workload } from "./workload.ts";

/** The service ports that a workload serves, oldest service first, whether it is ready or not. */
export function serviceTargetsOf(
  workload: Workload,
  services: ServiceIndex,
  endpoints: EndpointIndex,
): readonly ServiceTarget[] {
  const targets: ServiceTarget[] = [];
  for (const service of services.all) {
    if (isSelected(service, workload, endpoints)) {
      for (const port of service.ports) {
        const targetPort = targetPortOf(port, workload);
        if (targetPort !== undefined) targets.push({ service, port, targetPort });
      }
    } else if (service.registry === "service-entry" && service.selector === undefined) {
      targets.push(...inlineTargets(service, workload, endpoints));
    }
  }
  return Object.freeze(targets);
}

function isSelected(service: Service, workload: Workload, endpoints: EndpointIndex): boolean {
  if (service.namespace !== workload.namespace || service.resolution === "alias") return false;
  // Slices know better than selectors which Pods are behind a service.
  const sliced = workload.config.kind === "Pod" ? endpoints.slicedBehind(service, workload) : undefined;
  if (sliced !== undefined) return sliced;
  return service.selector !== undefined && selectorMatches(service.selector, workload.labels);
}

/** A ServiceEntry may list the address of a workload of ours. */
function inlineTargets(service: Service, workload: Workload, endpoints: EndpointIndex): ServiceTarget[] {
  if (service.namespace !== workload.namespace) return [];
  return service.ports.flatMap((port) => {
    const own = endpoints.of(service, port.port).find((endpoint) => workload.addresses.includes(endpoint.address));
    return own === undefined ? [] : [{ service, port, targetPort: own.port }];
  });
}
