import type { GrpcClient as PluginGrpcClient } from "@mixerless/wasm";
import type { GrpcClient } from "../grpc/grpc-client.ts";

/** Calls of plugins, by the gRPC client of the proxy [proxy-wasm §8.7]. */
export function createGrpcCalls(client: GrpcClient): PluginGrpcClient {
  return {
    hasCluster: (name) => client.hasCluster(name),
    open({ target, service, method, metadata, timeout }, events) {
      const path = `/${service}/${method}`;
      return client.open({ ...target, path, metadata, timeout }, events);
    },
  };
}
