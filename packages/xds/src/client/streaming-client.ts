import type { Clock, Timer } from "@mixerless/clock";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { ErrorDetail } from "../messages.ts";
import { shortTypeName } from "../resource-types.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { type ClientProtocol, inOrder, type Wanted, wants } from "./client-protocol.ts";
import type { DiscoveryStream, DiscoveryTransport } from "./discovery-transport.ts";

/** How a client stands with its control plane. */
export interface ClientState {
  readonly target: string;
  readonly connected: boolean;
  /** Milliseconds since the epoch of the last change of `connected`; of the client's start before. */
  readonly since: number;
  /** Failed attempts since the stream was lost, or since the start. */
  readonly failedAttempts: number;
  /** Why the last attempt failed or the stream was lost, null if neither happened. */
  readonly lastError: string | null;
  /** True while resources of an earlier run serve, because the control plane has not answered yet. */
  readonly fromCache: boolean;
  readonly types: readonly ClientTypeState[];
}

export interface ClientTypeState {
  readonly typeUrl: string;
  readonly shortName: string;
  /** Number of names asked for, or everything. */
  readonly wanted: number | "*";
  readonly held: number;
  /** Version of the last response that was accepted in full, "" before. */
  readonly version: string;
  /** What was refused of the last response, one line a resource, or null. */
  readonly lastError: string | null;
}

export interface StreamingClientOptions<Request, Response> {
  readonly target: string;
  readonly node: Node;
  readonly clock: Clock;
  readonly transport: DiscoveryTransport<Request, Response>;
  readonly protocol: ClientProtocol<Request, Response>;
  readonly cache: ResourceCache | null;
  readonly onState: ((connected: boolean, reason: string) => void) | undefined;
  readonly onAttemptFailed: ((reason: string, retryIn: number) => void) | undefined;
  readonly backoff: BackoffOptions;
  readonly random: () => number;
}

/** As Istio's agent reports it: a status of HTTP in the place of one of gRPC. */
const UNHEALTHY = 500;
/** Milliseconds that a control plane has to take the last report. */
const FAREWELL = 1000;

/** Keeps one stream of a protocol open, and answers from the cache until the first one is. */
export class StreamingClient<Request extends object, Response> {
  readonly #options: StreamingClientOptions<Request, Response>;
  readonly #backoff: Backoff;
  #stream: DiscoveryStream<Request> | null = null;
  #firstRequest = true;
  #retry: Timer | null = null;
  #cacheTimer: Timer | null = null;
  /** The last report; null before the first. */
  #health: { readonly error: ErrorDetail | undefined } | null = null;
  #onFarewell: () => void = () => {};
  #connected = false;
  #answered = false;
  #fromCache = false;
  #serving = false;
  #closed = false;
  #since: number;
  #failedAttempts = 0;
  #lastError: string | null = null;

  constructor(options: StreamingClientOptions<Request, Response>) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff, options.random);
    this.#since = options.clock.now();
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    const { cache, clock } = this.#options;
    if (cache !== null) {
      cache.load();
      this.#cacheTimer = clock.after(cache.patience, () => this.#useCache());
    }
    this.#open();
  }

  subscribe(typeUrl: string, wanted: Wanted): void {
    this.#send(this.#options.protocol.want(typeUrl, wanted));
    if (this.#fromCache) this.#serveFromCache();
  }

  reportHealth(healthy: boolean, reason: string): void {
    this.#health = { error: healthy ? undefined : { code: UNHEALTHY, message: reason } };
    this.#send([this.#options.protocol.health(this.#health.error)]);
  }

  state(): ClientState {
    const { target, protocol } = this.#options;
    const types = inOrder(protocol.subscriptions.keys()).flatMap((typeUrl) => {
      const subscription = protocol.subscriptions.get(typeUrl);
      if (subscription === undefined) return [];
      const { wanted, known, acceptedVersion: version, lastError } = subscription;
      const shortName = shortTypeName(typeUrl);
      return [
        { typeUrl, shortName, wanted: wanted === "*" ? wanted : wanted.size, held: known.size, version, lastError },
      ];
    });
    return {
      target,
      connected: this.#connected,
      since: this.#since,
      failedAttempts: this.#failedAttempts,
      lastError: this.#lastError,
      fromCache: this.#fromCache,
      types,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#cacheTimer?.cancel();
    if (this.#health !== null && this.#stream !== null) await this.#farewell();
    this.#stream?.cancel();
    this.#options.transport.close();
    await this.#options.cache?.close();
  }

  /** What was sent is lost with a cancelled stream, so this one ends in order; for a silent server within a limit. */
  async #farewell(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#onFarewell = resolve;
    });
    this.#stream?.end();
    const limit = this.#options.clock.after(FAREWELL, () => this.#onFarewell());
    await ended;
    limit.cancel();
  }

  #open(): void {
    if (this.#closed || this.#stream !== null) return;
    this.#firstRequest = true;
    this.#answered = false;
    this.#stream = this.#options.transport.open({
      onHeaders: () => this.#onConnected(),
      onResponse: (response) => this.#onResponse(response),
      onEnd: (reason) => this.#onEnd(reason),
    });
    this.#send(this.#options.protocol.connected());
    if (this.#health !== null) this.#send([this.#options.protocol.health(this.#health.error)]);
  }

  #onConnected(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#since = this.#options.clock.now();
    this.#options.onState?.(true, "");
  }

  #onResponse(response: Response): void {
    if (this.#closed) return;
    this.#onConnected();
    this.#answered = true;
    this.#failedAttempts = 0;
    this.#backoff.reset();
    this.#cacheTimer?.cancel();
    this.#fromCache = false;
    this.#send(this.#options.protocol.received(response));
    this.#options.cache?.changed(this.#options.protocol.subscriptions);
  }

  #send(requests: readonly Request[]): void {
    const { node } = this.#options;
    for (const request of requests) {
      this.#stream?.send(this.#firstRequest ? { ...request, node } : request);
      this.#firstRequest = false;
    }
  }

  #onEnd(reason: string): void {
    this.#stream = null;
    this.#options.protocol.disconnected();
    this.#onFarewell();
    if (this.#closed) return;
    const { clock, onState, onAttemptFailed } = this.#options;
    this.#lastError = reason;
    const retryIn = this.#backoff.next();
    if (!this.#answered) this.#failedAttempts += 1;
    if (this.#connected) {
      this.#connected = false;
      this.#since = clock.now();
      onState?.(false, reason);
    } else {
      onAttemptFailed?.(reason, retryIn);
    }
    this.#retry = clock.after(retryIn, () => this.#open());
  }

  /** The control plane has been silent for long enough. */
  #useCache(): void {
    if (this.#closed || this.#answered) return;
    this.#options.cache?.whenLoaded(() => {
      if (this.#closed || this.#answered) return;
      this.#fromCache = true;
      this.#serveFromCache();
    });
  }

  /** Hands over what the cache has of what is wanted, until the handler wants nothing more of it. */
  #serveFromCache(): void {
    const { cache, protocol } = this.#options;
    // The handler subscribes to more while it is served; the loop finds that.
    if (cache === null || this.#serving) return;
    this.#serving = true;
    for (let progress = true; progress; ) {
      progress = false;
      for (const typeUrl of inOrder(protocol.subscriptions.keys())) {
        const wanted = protocol.subscriptions.get(typeUrl)?.wanted ?? new Set();
        const update = cache.take(typeUrl, (name) => wants(wanted, name));
        if (update === null) continue;
        protocol.restore(update);
        progress = true;
      }
    }
    this.#serving = false;
  }
}
