import type { Clock } from "@mixerless/clock";
import type { AdmittedStream, ClusterManager, LoadBalancerContext } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import { GrpcCall } from "./grpc-call.ts";
import { type GrpcClient, GrpcStatus, type GrpcStream } from "./grpc-client.ts";
import { GrpcConnection } from "./grpc-connection.ts";

export interface ClosableGrpcClient extends GrpcClient {
  /** Ends every connection; nothing is reported any more. */
  close(): void;
}

/** Calls over Node's HTTP/2, on connections that clusters make: one to each endpoint, calls balanced over those. */
export function createGrpcClient(clusters: ClusterManager, clock: Clock): ClosableGrpcClient {
  const connections = new Map<Host, GrpcConnection>();
  const calls = new Set<GrpcCall>();

  /** Null: none can be opened now. */
  const connectionTo = (admitted: AdmittedStream): GrpcConnection | null => {
    const { host } = admitted;
    const current = connections.get(host);
    if (current?.usable === true) return current;
    const created = new GrpcConnection(clock, () => {
      if (connections.get(host) === created) connections.delete(host);
    });
    connections.set(host, created);
    return created.open(admitted) === null ? created : null;
  };

  return {
    hasCluster: (name) => clusters.get(name) !== null,

    open(request, events): GrpcStream | null {
      const cluster = clusters.get(request.cluster);
      const admitted = cluster?.admitStream(ANY_HOST) ?? null;
      if (cluster === null || admitted === null || typeof admitted === "string") return null;
      const connection = connectionTo(admitted);
      if (connection === null) {
        admitted.done();
        return null;
      }
      const call = new GrpcCall(request, events, (status) => {
        calls.delete(call);
        admitted.done();
        if (status !== null) cluster.reportOutcome(admitted.host, httpStatusOf(status), false);
      });
      calls.add(call);
      call.waitOn(connection.request(call));
      if (request.timeout > 0) {
        call.deadline = clock.after(request.timeout, () =>
          call.finish(GrpcStatus.Unavailable, "upstream request timeout"),
        );
      }
      return call;
    },

    close(): void {
      for (const call of [...calls]) call.cancel();
      for (const connection of [...connections.values()]) connection.close();
    },
  };
}

const ANY_HOST: LoadBalancerContext = {
  ...{ hash: null, downstream: null, requestHeaders: null, highPriority: false, triedHosts: [], hostAttempts: 1 },
  triedPriorities: new Set<number>(),
};

/** As outlier detection understands it: what says that an endpoint can't serve counts against it. */
function httpStatusOf(status: number): number {
  if (status === GrpcStatus.Unavailable) return 503;
  return status === GrpcStatus.DeadlineExceeded ? 504 : 200;
}
