import { create } from "@bufbuild/protobuf";
import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import type { Protocol } from "../../model/protocol.ts";
import type { ServiceTarget } from "../../model/push-context.ts";
import { duration } from "../proto.ts";
import { inboundRetryPolicy } from "./retry-policy.ts";
import { matchEverything } from "./route-match.ts";

/** The inline routes of an inbound chain: everything to the application [control-plane §4.5]. */
export function inboundRoutes(
  cluster: string,
  listenerPort: number,
  targets: readonly ServiceTarget[],
  protocol: Protocol,
): RouteConfiguration {
  const [first] = targets;
  const port = first?.port.port ?? listenerPort;
  const operation = first === undefined ? `:${port}/*` : `${first.service.hostname}:${port}/*`;
  return create(RouteConfigurationSchema, {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: matchEverything(),
            decorator: { operation },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: cluster },
                timeout: duration(0),
                maxStreamDuration: { maxStreamDuration: duration(0), grpcTimeoutHeaderMax: duration(0) },
                // A gRPC client has its own idea of what may be tried again.
                ...(protocol === "GRPC" || protocol === "GRPC-Web" ? {} : { retryPolicy: inboundRetryPolicy() }),
              },
            },
          },
        ],
      },
    ],
  });
}
