import { grpcTimeout } from "../grpc.ts";
import type { HeaderMap } from "../header-map.ts";
import type { ForwardAction } from "../routing/route-action.ts";

/**
 * How long a stream may last by its route, milliseconds; 0: without limit, null: the connection manager decides.
 * Where `grpc_timeout_header_max` is set, the client's own `grpc-timeout` is the limit, capped by it unless it is 0.
 */
export function streamDuration(action: ForwardAction, headers: HeaderMap): number | null {
  if (action.grpcTimeoutHeaderMax !== null) {
    const asked = grpcTimeout(headers);
    if (asked !== null) {
      const max = action.grpcTimeoutHeaderMax;
      const limit = max > 0 && (asked === 0 || asked > max) ? max : asked;
      return action.grpcTimeoutHeaderOffset < limit ? limit - action.grpcTimeoutHeaderOffset : limit;
    }
  }
  return action.maxStreamDuration;
}
