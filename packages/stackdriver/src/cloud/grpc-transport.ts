import type { Clock } from "@mixerless/clock";
import { type Endpoint, isLoopback } from "../config/endpoints.ts";
import { type CloudTransport, GrpcCode } from "./cloud-transport.ts";

export interface TransportOptions {
  readonly endpoint: Endpoint;
  /** PEM file of the roots that prove the endpoint; "": the system's. */
  readonly rootsFile: string;
  readonly compression: boolean;
}

/** Calls by a gRPC client of its own: endpoints of a cloud are no clusters of the mesh, and have no certificate of it. */
export function createGrpcTransport(options: TransportOptions, clock: Clock): CloudTransport {
  const { endpoint } = options;
  // In clear a token goes nowhere but to this machine.
  const showsToken = endpoint.secure || isLoopback(endpoint.address);
  let client: { close(): void } | null = null;

  const open = async () => {
    const { callUnary, createClient } = await import("./grpc-client.ts");
    const made = createClient(options);
    client = made;
    return { made, callUnary };
  };
  let opening: ReturnType<typeof open> | null = null;

  return {
    call: async (path, message, token, timeout) => {
      try {
        opening ??= open();
        const { made, callUnary } = await opening;
        return await callUnary(made, path, message, showsToken ? token : null, clock.now() + timeout);
      } catch (error) {
        if (client === null) opening = null;
        return { code: GrpcCode.Unavailable, message: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => client?.close(),
  };
}
