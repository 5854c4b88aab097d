import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { ResponseDecoder } from "../http/codec.ts";
import type { UpstreamTls, UpstreamTlsConfig } from "../tls/upstream-tls.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import type {
  AdmittedStream,
  Cancellable,
  Cluster,
  HttpPoolCallbacks,
  LoadBalancerContext,
  PoolFailure,
  TcpPoolCallbacks,
} from "./cluster.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { type ClusterStats, createClusterStats } from "./cluster-stats.ts";
import { HostSet } from "./host-set.ts";
import { HostChooser } from "./load-balancer/host-chooser.ts";
import type { Random } from "./load-balancer/load-balancer.ts";
import { createPolicy } from "./load-balancer/policy.ts";
import { OutlierDetector } from "./outlier-detection.ts";
import { admitStream } from "./pool/admit-stream.ts";
import type { Connector } from "./pool/connector.ts";
import { openTcp } from "./pool/open-tcp.ts";
import type { PoolSettings } from "./pool/pool-context.ts";
import { trackRequest } from "./pool/track-request.ts";
import { PriorityLane } from "./priority-lane.ts";
import { HostSecurity } from "./transport-sockets.ts";
import type { EndpointConfig, UpstreamHost } from "./upstream-host.ts";

export interface ClusterDependencies {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly random: Random;
  readonly connector: Connector;
  readonly createTls: (config: UpstreamTlsConfig, cluster: string) => UpstreamTls;
}

/** A cluster at work: hosts, balancing, limits and connections. Configuration and hosts change under it. */
export class UpstreamCluster implements Cluster {
  #config: ClusterConfig;
  readonly #dependencies: ClusterDependencies;
  readonly #settings: PoolSettings;
  readonly #default: PriorityLane;
  readonly #high: PriorityLane;
  readonly #security: HostSecurity;
  #chooser: HostChooser;
  #outliers: OutlierDetector | null = null;
  readonly hosts = new HostSet();
  readonly stats: ClusterStats = createClusterStats();

  constructor(config: ClusterConfig, dependencies: ClusterDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#settings = { ...config.pool };
    const { clock, wheel, connector, createTls } = dependencies;
    this.#security = new HostSecurity(config.sockets, (tls) => createTls(tls, config.statName));
    const security = this.#security;
    const shared = { clock, wheel, connector, security, stats: this.stats, settings: this.#settings };
    this.#default = new PriorityLane(config.limits, shared);
    this.#high = new PriorityLane(config.highPriorityLimits, shared);
    this.#chooser = this.#createChooser();
    this.#configureOutliers();
  }

  get name(): string {
    return this.#config.name;
  }
  get config(): ClusterConfig {
    return this.#config;
  }
  get metadata(): Readonly<Record<string, unknown>> {
    return this.#config.metadata;
  }
  get maxStreamDuration(): number {
    return this.#config.maxStreamDuration;
  }
  /** What requests of the default priority use. */
  get breaker(): CircuitBreaker {
    return this.#default.breaker;
  }
  get highPriorityBreaker(): CircuitBreaker {
    return this.#high.breaker;
  }

  /** Takes over a new configuration of the same discovery; hosts and connections stay. */
  reconfigure(config: ClusterConfig): void {
    this.#config = config;
    this.#default.breaker.limits = config.limits;
    this.#high.breaker.limits = config.highPriorityLimits;
    Object.assign(this.#settings, config.pool);
    this.#chooser = this.#createChooser();
    this.#configureOutliers();
  }

  /** `overprovisioning` as {@link HostSet.overprovisioning}. */
  updateHosts(endpoints: readonly EndpointConfig[], overprovisioning: number): void {
    const now = this.#dependencies.clock.monotonic();
    const { added, removed } = this.hosts.update(endpoints, now, overprovisioning);
    if (added.length + removed.length > 0) this.stats.membership_change++;
    for (const host of removed) {
      this.#default.retire(host);
      this.#high.retire(host);
    }
  }

  newStream(context: LoadBalancerContext, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): Cancellable | null {
    const host = this.#chooser.choose(context);
    if (host === null) {
      this.stats.upstream_cx_none_healthy++;
      callbacks.onFailure("no-healthy-upstream", null, "");
      return null;
    }
    const lane = context.highPriority ? this.#high : this.#default;
    if (!lane.breaker.canRequest) {
      this.stats.upstream_rq_pending_overflow++;
      callbacks.onFailure("overflow", host, "");
      return null;
    }
    return trackRequest(lane, host, lane.poolOf(host), decoder, callbacks);
  }

  newConnection(context: LoadBalancerContext, callbacks: TcpPoolCallbacks): Cancellable | null {
    const host = this.#chooser.choose(context);
    if (host === null) {
      this.stats.upstream_cx_none_healthy++;
      callbacks.onFailure("no-healthy-upstream", null, "");
      return null;
    }
    return openTcp(this.#default.context, host, callbacks);
  }

  admitStream(context: LoadBalancerContext): AdmittedStream | PoolFailure {
    const host = this.#chooser.choose(context);
    if (host === null) {
      this.stats.upstream_cx_none_healthy++;
      return "no-healthy-upstream";
    }
    const lane = context.highPriority ? this.#high : this.#default;
    if (!lane.breaker.canRequest) {
      this.stats.upstream_rq_pending_overflow++;
      return "overflow";
    }
    return admitStream(lane, host);
  }

  reportOutcome(host: UpstreamHost, status: number, localFailure: boolean): void {
    if (status >= 500 || localFailure) host.totals.errors++;
    else host.totals.successes++;
    this.#outliers?.report(host, status, localFailure);
  }

  admitRetry(highPriority: boolean): { done(): void } | null {
    return (highPriority ? this.#high : this.#default).admitRetry();
  }

  /** Lets what runs finish; nothing new is expected. */
  drain(): void {
    this.#outliers?.close();
    this.#outliers = null;
    this.#default.drain();
    this.#high.drain();
    this.#security.close();
  }

  /** Ends every connection of the cluster. */
  close(): void {
    this.drain();
    this.#default.close();
    this.#high.close();
  }

  #createChooser(): HostChooser {
    const { policy, panicThreshold, localityWeighted } = this.#config;
    const { random, clock } = this.#dependencies;
    return new HostChooser({
      hosts: this.hosts,
      policy: createPolicy(policy, random, clock),
      random,
      panicThreshold,
      localityWeighted,
    });
  }

  #configureOutliers(): void {
    const config = this.#config.outlierDetection;
    if (config === null) {
      this.#outliers?.close();
      this.#outliers = null;
    } else if (this.#outliers !== null) {
      this.#outliers.reconfigure(config);
    } else {
      const { clock, random } = this.#dependencies;
      this.#outliers = new OutlierDetector(config, this.hosts, clock, random, this.stats);
    }
  }
}
