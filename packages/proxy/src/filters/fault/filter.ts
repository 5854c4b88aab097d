import type { Clock, Timer } from "@mixerless/clock";
import { EnvoyHeader } from "../../http/envoy-header-name.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { HeaderName } from "../../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../../http/http-filter.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import type { FaultConfig, InjectedAbort } from "./config.ts";
import type { FaultStats } from "./stats.ts";

const DOWNSTREAM_NODE = HeaderName.of("x-envoy-downstream-service-node");

/** What the fault filters of one chain share. */
export interface FaultShares {
  readonly clock: Clock;
  readonly random: () => number;
  readonly stats: FaultStats;
  /** Faults that are being injected now. */
  active: number;
}

/** Delays requests, ends them, or both, as a test asks for. */
export class FaultFilter extends HttpFilter {
  readonly #config: FaultConfig;
  readonly #shares: FaultShares;
  #timer: Timer | null = null;
  #counted = false;

  constructor(stream: FilterStream, config: FaultConfig, shares: FaultShares) {
    super(stream);
    this.#config = config;
    this.#shares = shares;
  }

  override decodeHeaders(headers: HeaderMap): number {
    if (!this.#applies(headers)) return FilterStatus.Continue;
    const delay = this.#delay(headers);
    if (delay > 0) {
      this.#count();
      this.stream.info.setFlag(ResponseFlag.DelayInjected);
      this.#shares.stats.delays.add(1);
      this.#timer = this.#shares.clock.after(delay, () => this.#delayed(headers));
      return FilterStatus.Stop;
    }
    return this.#abort(headers) ? FilterStatus.Stop : FilterStatus.Continue;
  }

  override onEnd(): void {
    this.#timer?.cancel();
    if (this.#counted) this.#shares.active--;
    this.#counted = false;
  }

  #applies(headers: HeaderMap): boolean {
    const { upstreamCluster, headers: matchers, downstreamNodes, maxActive } = this.#config;
    if (upstreamCluster !== "" && this.stream.route?.cluster !== upstreamCluster) return false;
    for (const matches of matchers) if (!matches(headers)) return false;
    if (downstreamNodes.size > 0 && !downstreamNodes.has(headers.get(DOWNSTREAM_NODE) ?? "")) return false;
    return this.#shares.active < maxActive;
  }

  #delay(headers: HeaderMap): number {
    const { delay } = this.#config;
    if (delay === null) return 0;
    const length = delay.byHeader ? number(headers, EnvoyHeader.faultDelay) : delay.milliseconds;
    const share = delay.byHeader ? limited(delay.share, headers, EnvoyHeader.faultDelayPercentage) : delay.share;
    return length !== null && this.#shares.random() < share ? length : 0;
  }

  #delayed(headers: HeaderMap): void {
    this.#timer = null;
    if (!this.#abort(headers)) this.stream.continueDecoding(this);
  }

  #abort(headers: HeaderMap): boolean {
    const { abort } = this.#config;
    if (abort === null) return false;
    const share = abort.byHeader ? limited(abort.share, headers, EnvoyHeader.faultAbortPercentage) : abort.share;
    const reply = abort.byHeader ? abortByHeader(headers) : abort;
    if (reply === null || this.#shares.random() >= share) return false;
    this.#count();
    this.#shares.stats.aborts.add(1);
    this.stream.sendLocalReply({
      status: reply.status,
      body: "fault filter abort",
      details: "fault_filter_abort",
      flags: ResponseFlag.FaultInjected,
      grpcStatus: reply.grpcStatus,
    });
    return true;
  }

  #count(): void {
    if (this.#counted) return;
    this.#counted = true;
    this.#shares.active++;
  }
}

function abortByHeader(headers: HeaderMap): Pick<InjectedAbort, "status" | "grpcStatus"> | null {
  const status = number(headers, EnvoyHeader.faultAbort);
  if (status !== null && status >= 200 && status < 600) return { status, grpcStatus: null };
  const grpcStatus = number(headers, EnvoyHeader.faultAbortGrpc);
  return grpcStatus === null ? null : { status: 503, grpcStatus };
}

/** A percentage in the request lowers the configured share, never raises it. */
function limited(share: number, headers: HeaderMap, name: HeaderName): number {
  const asked = number(headers, name);
  return asked === null ? share : Math.min(share, asked / 100);
}

function number(headers: HeaderMap, name: HeaderName): number | null {
  const value = headers.getInteger(name);
  return value < 0 ? null : value;
}
