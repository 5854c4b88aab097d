import type { Deadline } from "@mixerless/clock";
import type { ClientConnection, RequestEncoder, ResponseDecoder } from "../../http/codec.ts";
import type { Transport } from "../../transport/transport.ts";
import type { Cancellable, HttpPoolCallbacks, PoolFailure } from "../cluster.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import { IdleWatch } from "./idle-watch.ts";
import { connectionClosed, openConnection } from "./open-connection.ts";
import type { PoolContext } from "./pool-context.ts";

interface Waiting extends Cancellable {
  readonly decoder: ResponseDecoder;
  readonly callbacks: HttpPoolCallbacks;
}

/** An open connection. */
interface Pooled {
  connection: ClientConnection;
  requests: number;
  idle: boolean;
  idleSince: number;
  /** Older than connections may get: closes with the request that it carries. */
  outlived: boolean;
  duration: Deadline | null;
}

/**
 * Connections to one host, each carrying one request at a time. The one used last is used next: it is
 * the least likely to have been closed by the peer, and the others can age out.
 */
export class HttpPool {
  readonly #context: PoolContext;
  readonly #host: UpstreamHost;
  /** In the order in which they became idle. */
  readonly #idle: Pooled[] = [];
  readonly #idleWatch: IdleWatch;
  readonly #open = new Set<Pooled>();
  readonly #connecting = new Set<Cancellable>();
  readonly #waiting: Waiting[] = [];
  #draining = false;
  #onEmpty: (() => void) | null;

  /** `onEmpty` is called once, when a drained pool holds nothing any more. */
  constructor(context: PoolContext, host: UpstreamHost, onEmpty: () => void) {
    this.#context = context;
    this.#host = host;
    this.#onEmpty = onEmpty;
    this.#idleWatch = new IdleWatch(context.clock, context.wheel, () => this.#closeLongIdle());
  }

  newStream(decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): Cancellable | null {
    const { breaker, stats } = this.#context;
    const idle = this.#takeIdle();
    if (idle !== null) {
      this.#assign(idle, decoder, callbacks);
      return null;
    }
    if (!breaker.canWait) {
      stats.upstream_rq_pending_overflow++;
      callbacks.onFailure("overflow", this.#host, "");
      return null;
    }
    if (breaker.canConnect) this.#connect();
    else stats.upstream_cx_overflow++;
    // Nothing of this pool is on its way that could ever serve the request.
    if (this.#connecting.size === 0 && this.#open.size === 0) {
      callbacks.onFailure("overflow", this.#host, "");
      return null;
    }
    return this.#wait(decoder, callbacks);
  }

  /** Closes idle connections; busy ones close after their request. Waiting requests are still served. */
  drain(): void {
    this.#draining = true;
    this.#idleWatch.stop();
    for (const pooled of this.#idle.splice(0)) pooled.connection.close();
    this.#checkEmpty();
  }

  /** Closes everything at once. Waiting requests fail. */
  close(): void {
    this.#draining = true;
    this.#idleWatch.stop();
    for (const attempt of this.#connecting) attempt.cancel();
    this.#connecting.clear();
    this.#failWaiting("connect-failure", "cluster removed");
    for (const pooled of [...this.#open]) pooled.connection.close();
    this.#checkEmpty();
  }

  #wait(decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): Cancellable {
    const { breaker, stats } = this.#context;
    breaker.pending++;
    stats.upstream_rq_pending_total++;
    stats.upstream_rq_pending_active++;
    const entry: Waiting = {
      decoder,
      callbacks,
      // The connection that is on its way stays: the next request can use it.
      cancel: () => {
        const at = this.#waiting.indexOf(entry);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        this.#leaveQueue();
        stats.upstream_rq_cancelled++;
      },
    };
    this.#waiting.push(entry);
    return entry;
  }

  #leaveQueue(): void {
    this.#context.breaker.pending--;
    this.#context.stats.upstream_rq_pending_active--;
  }

  #takeIdle(): Pooled | null {
    for (;;) {
      const pooled = this.#idle.pop();
      if (pooled === undefined) return null;
      pooled.idle = false;
      if (pooled.connection.available) return pooled;
      pooled.connection.close();
    }
  }

  #assign(pooled: Pooled, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): void {
    pooled.requests++;
    const encoder: RequestEncoder = pooled.connection.newStream(decoder);
    callbacks.onReady(encoder, this.#host);
  }

  #connect(): void {
    let attempt: Cancellable | null = null;
    attempt = openConnection(
      this.#context,
      this.#host,
      (transport) => {
        if (attempt !== null) this.#connecting.delete(attempt);
        this.#connected(transport);
      },
      (reason, details) => {
        if (attempt !== null) this.#connecting.delete(attempt);
        this.#connectFailed(reason, details);
      },
    );
    this.#connecting.add(attempt);
  }

  #connected(transport: Transport): void {
    const pooled: Partial<Pooled> = {
      requests: 0,
      idle: false,
      idleSince: 0,
      outlived: false,
      duration: null,
    };
    const connection = this.#context.connector.createHttpConnection(transport, {
      onIdle: () => this.#becameIdle(pooled as Pooled),
      onGoAway: () => {},
      onClose: () => this.#closed(pooled as Pooled),
    });
    pooled.connection = connection;
    this.#open.add(pooled as Pooled);
    const { maxConnectionDuration } = this.#context.settings;
    if (maxConnectionDuration > 0) {
      pooled.duration = this.#context.wheel.after(maxConnectionDuration, () => this.#outlived(pooled as Pooled));
    }
    this.#becameIdle(pooled as Pooled);
  }

  /** Envoy lets a failed connection fail every request that waits for this host; a retry may choose another. */
  #connectFailed(reason: PoolFailure, details: string): void {
    this.#context.stats.upstream_rq_pending_failure_eject += this.#waiting.length;
    this.#failWaiting(reason, details);
    this.#checkEmpty();
  }

  #failWaiting(reason: PoolFailure, details: string): void {
    for (const waiting of this.#waiting.splice(0)) {
      this.#leaveQueue();
      waiting.callbacks.onFailure(reason, this.#host, details);
    }
  }

  #becameIdle(pooled: Pooled): void {
    const { clock, settings, stats } = this.#context;
    if (!this.#open.has(pooled) || pooled.idle) return;
    const limit = settings.maxRequestsPerConnection;
    if (!pooled.connection.available || pooled.outlived || (limit > 0 && pooled.requests >= limit)) {
      if (pooled.connection.available && !pooled.outlived) stats.upstream_cx_max_requests++;
      pooled.connection.close();
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#leaveQueue();
      this.#assign(pooled, next.decoder, next.callbacks);
      return;
    }
    if (this.#draining) {
      pooled.connection.close();
      return;
    }
    pooled.idle = true;
    pooled.idleSince = clock.monotonic();
    this.#idle.push(pooled);
    this.#idleWatch.watch(settings.idleTimeout, this.#idle[0]?.idleSince ?? pooled.idleSince);
  }

  #closeLongIdle(): void {
    const { clock, settings, stats } = this.#context;
    const { idleTimeout } = settings;
    if (idleTimeout === 0) return;
    const before = clock.monotonic() - idleTimeout;
    for (let oldest = this.#idle[0]; oldest !== undefined; oldest = this.#idle[0]) {
      if (oldest.idleSince > before) {
        this.#idleWatch.watch(idleTimeout, oldest.idleSince);
        return;
      }
      this.#idle.shift();
      stats.upstream_cx_idle_timeout++;
      oldest.connection.close();
    }
  }

  #outlived(pooled: Pooled): void {
    this.#context.stats.upstream_cx_max_duration_reached++;
    pooled.outlived = true;
    const at = this.#idle.indexOf(pooled);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    pooled.connection.close();
  }

  #closed(pooled: Pooled): void {
    if (!this.#open.delete(pooled)) return;
    pooled.duration?.cancel();
    if (pooled.idle) {
      const at = this.#idle.indexOf(pooled);
      if (at >= 0) this.#idle.splice(at, 1);
    }
    connectionClosed(this.#context, this.#host);
    // A request may wait for the connection that just went: only a new one can serve it.
    if (this.#waiting.length > this.#connecting.size && this.#context.breaker.canConnect) this.#connect();
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (!this.#draining || this.#open.size > 0 || this.#connecting.size > 0 || this.#waiting.length > 0) return;
    const onEmpty = this.#onEmpty;
    this.#onEmpty = null;
    onEmpty?.();
  }
}
