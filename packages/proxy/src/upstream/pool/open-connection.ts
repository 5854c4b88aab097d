import type { Transport } from "../../transport/transport.ts";
import type { Cancellable, PoolFailure } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import type { PoolContext } from "./pool-context.ts";

/**
 * Opens one connection to a host within the connect timeout and keeps the books of it: the caller must
 * call {@link connectionClosed} once when an opened connection is gone.
 */
export function openConnection(
  context: PoolContext,
  host: UpstreamHost,
  onConnected: (transport: Transport) => void,
  onFailed: (reason: PoolFailure, details: string) => void,
  alpn: readonly string[] | null = null,
): Cancellable {
  const { stats, breaker } = context;
  const { localAddress, bufferLimit } = context.settings;
  breaker.connections++;
  stats.upstream_cx_total++;
  stats.upstream_cx_active++;
  host.totals.connections++;
  host.totals.activeConnections++;

  const fail = (reason: PoolFailure, details: string) => {
    connectionClosed(context, host);
    stats.upstream_cx_connect_fail++;
    host.totals.connectFailures++;
    onFailed(reason, details);
  };
  const attempt = context.connector.connect(
    host.address,
    { localAddress, tls: context.security.of(host), alpn, bufferLimit },
    (transport) => {
      deadline.cancel();
      onConnected(transport);
    },
    (error) => {
      deadline.cancel();
      fail("connect-failure", describeConnectError(error));
    },
  );
  const deadline = context.wheel.after(context.settings.connectTimeout, () => {
    attempt.cancel();
    stats.upstream_cx_connect_timeout++;
    fail("connect-timeout", "");
  });
  return {
    cancel: () => {
      deadline.cancel();
      attempt.cancel();
      connectionClosed(context, host);
    },
  };
}

export function connectionClosed(context: PoolContext, host: UpstreamHost): void {
  context.breaker.connections--;
  context.stats.upstream_cx_active--;
  host.totals.activeConnections--;
}

/** Envoy's words where it has them, as dashboards and people search for them. */
function describeConnectError(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") return "delayed connect error: Connection refused";
  if (code === "EHOSTUNREACH") return "delayed connect error: No route to host";
  if (code === "ECONNRESET") return "delayed connect error: Connection reset by peer";
  return `delayed connect error: ${code ?? error.message}`;
}
