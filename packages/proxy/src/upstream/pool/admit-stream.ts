import type { AdmittedStream } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import { openTcp } from "./open-tcp.ts";
import type { PoolContext } from "./pool-context.ts";
import type { ActiveStreams } from "./track-request.ts";

/** Counts a stream that goes another way than by the pools, and lets it have a connection that counts too. */
export function admitStream(
  lane: ActiveStreams & { readonly context: PoolContext },
  host: UpstreamHost,
): AdmittedStream {
  lane.streamOpened(host);
  let open = true;
  return {
    host,
    connect: (protocols, callbacks) => openTcp(lane.context, host, callbacks, protocols),
    done: () => {
      if (open) lane.streamClosed(host);
      open = false;
    },
  };
}
