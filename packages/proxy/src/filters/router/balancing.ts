import type { HeaderMap } from "../../http/header-map.ts";
import type { GeneratedCookie } from "../../http/routing/hash-policy.ts";
import type { ForwardAction } from "../../http/routing/route-action.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { ConnectionInfo } from "../../transport/transport.ts";
import type { LoadBalancerContext } from "../../upstream/cluster.ts";
import type { Host } from "../../upstream/host.ts";
import type { Retries } from "./retries.ts";

const NO_HOSTS: readonly Host[] = [];
const NO_PRIORITIES: ReadonlySet<number> = new Set();

/** What a request tells the balancer of its cluster, at every attempt. */
export class Balancing implements LoadBalancerContext {
  readonly downstream: ConnectionInfo;
  readonly requestHeaders: HeaderMap;
  readonly highPriority: boolean;
  readonly hash: bigint | null = null;
  /** What the response must set so that the client comes back to the same host. */
  readonly cookie: GeneratedCookie | null = null;
  readonly #retries: Retries | null;

  constructor(action: ForwardAction, headers: HeaderMap, info: StreamInfo, retries: Retries | null) {
    this.downstream = info.downstream;
    this.requestHeaders = headers;
    this.highPriority = action.highPriority;
    this.#retries = retries;
    if (action.hash === null) return;
    const outcome = action.hash.evaluate(headers, info);
    this.hash = outcome.hash;
    this.cookie = outcome.cookie;
  }

  get triedHosts(): readonly Host[] {
    return this.#retries?.avoided ?? NO_HOSTS;
  }
  get hostAttempts(): number {
    return this.#retries?.hostAttempts ?? 0;
  }
  get triedPriorities(): ReadonlySet<number> {
    return this.#retries?.triedPriorities ?? NO_PRIORITIES;
  }
}
