import { aliasTarget } from "../../model/alias-target.ts";
import type { Service } from "../../model/service.ts";
import { clusterPolicy } from "../clusters/cluster-policy.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { hashPolicy } from "./hash-policy.ts";
import type { RouteSurroundings } from "./http-route.ts";
import { RouteOrigins } from "./route-origins.ts";

/** What routes built for one listener port need to know; `find` decides between namespaces. */
export function surroundings(
  input: GeneratorInput,
  listenerPort: number,
  find: (host: string) => Service | undefined,
  isTls = false,
  origins = new RouteOrigins(),
): RouteSurroundings {
  const { push, proxy } = input;
  const labels = push.labelsOf(proxy);
  const onlyPort = (host: string) => {
    const ports = find(aliasTarget(host, find))?.ports ?? [];
    return ports.length === 1 ? ports[0]?.port : undefined;
  };
  return {
    listenerPort,
    isTls,
    origins,
    isGrpcClient: proxy.metadata.GENERATOR === "grpc",
    onlyPort,
    targetOf: (host) => aliasTarget(host, find),
    meshRetries: push.mesh.defaultHttpRetryPolicy,
    hashPolicy: ({ host, port, subset }) => {
      const rule = push.destinationRule(proxy.namespace, labels, host);
      const policy = clusterPolicy(rule, port ?? onlyPort(host) ?? listenerPort, subset ?? "");
      return hashPolicy(policy.loadBalancer?.consistentHash?.key);
    },
  };
}
