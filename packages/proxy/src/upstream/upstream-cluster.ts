import type { Clock, DeadlineWheel } from "@mixerless/clock";
import type { ResponseDecoder } from "../http/codec.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { Cancellable, Cluster, HttpPoolCallbacks, LoadBalancerContext, TcpPoolCallbacks } from "./cluster.ts";
import type { ClusterConfig, LoadBalancerPolicy } from "./cluster-config.ts";
import { type ClusterStats, createClusterStats } from "./cluster-stats.ts";
import { HostSet } from "./host-set.ts";
import { HostChooser } from "./load-balancer/host-chooser.ts";
import { createLeastRequest } from "./load-balancer/least-request.ts";
import type { PickerFactory, Random } from "./load-balancer/load-balancer.ts";
import { createRandom } from "./load-balancer/random.ts";
import { createRingHash } from "./load-balancer/ring-hash.ts";
import { createRoundRobin } from "./load-balancer/round-robin.ts";
import { OutlierDetector } from "./outlier-detection.ts";
import type { Connector } from "./pool/connector.ts";
import { HttpPool } from "./pool/http-pool.ts";
import { openTcp } from "./pool/open-tcp.ts";
import type { PoolContext } from "./pool/pool-context.ts";
import { type ActiveStreams, trackRequest } from "./pool/track-request.ts";
import type { EndpointConfig, UpstreamHost } from "./upstream-host.ts";

export interface ClusterDependencies {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly random: Random;
  readonly connector: Connector;
}

/** A cluster at work: hosts, balancing, limits and connections. Configuration and hosts change under it. */
export class UpstreamCluster implements Cluster, ActiveStreams {
  #config: ClusterConfig;
  readonly #dependencies: ClusterDependencies;
  readonly #context: PoolContext;
  readonly #pools = new Map<UpstreamHost, HttpPool>();
  /** Pools of removed hosts whose requests still run. */
  readonly #draining = new Set<HttpPool>();
  #chooser: HostChooser;
  #outliers: OutlierDetector | null = null;
  readonly hosts = new HostSet();
  readonly stats: ClusterStats = createClusterStats();
  readonly breaker: CircuitBreaker;

  constructor(config: ClusterConfig, dependencies: ClusterDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.breaker = new CircuitBreaker(config.limits);
    const { clock, wheel, connector } = dependencies;
    this.#context = { clock, wheel, connector, breaker: this.breaker, stats: this.stats, settings: { ...config.pool } };
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

  /** Takes over a new configuration of the same discovery; hosts and connections stay. */
  reconfigure(config: ClusterConfig): void {
    this.#config = config;
    this.breaker.limits = config.limits;
    Object.assign(this.#context.settings, config.pool);
    this.#chooser = this.#createChooser();
    this.#configureOutliers();
  }

  updateHosts(endpoints: readonly EndpointConfig[]): void {
    const { added, removed } = this.hosts.update(endpoints);
    if (added.length + removed.length > 0) this.stats.membership_change++;
    for (const host of removed) this.#retire(host);
  }

  newStream(context: LoadBalancerContext, decoder: ResponseDecoder, callbacks: HttpPoolCallbacks): Cancellable | null {
    const host = this.#chooser.choose(context);
    if (host === null) {
      this.stats.upstream_cx_none_healthy++;
      callbacks.onFailure("no-healthy-upstream", null, "");
      return null;
    }
    if (!this.breaker.canRequest) {
      this.stats.upstream_rq_pending_overflow++;
      callbacks.onFailure("overflow", host, "");
      return null;
    }
    return trackRequest(this, host, this.#poolOf(host), decoder, callbacks);
  }

  newConnection(context: LoadBalancerContext, callbacks: TcpPoolCallbacks): Cancellable | null {
    const host = this.#chooser.choose(context);
    if (host === null) {
      this.stats.upstream_cx_none_healthy++;
      callbacks.onFailure("no-healthy-upstream", null, "");
      return null;
    }
    if (!this.breaker.canConnect) {
      this.stats.upstream_cx_overflow++;
      callbacks.onFailure("overflow", host, "");
      return null;
    }
    return openTcp(this.#context, host, callbacks);
  }

  reportOutcome(host: UpstreamHost, status: number, localFailure: boolean): void {
    if (status >= 500 || localFailure) host.totals.errors++;
    else host.totals.successes++;
    this.#outliers?.report(host, status, localFailure);
  }

  admitRetry(): { done(): void } | null {
    if (!this.breaker.canRetry) {
      this.stats.upstream_rq_retry_overflow++;
      return null;
    }
    this.breaker.retries++;
    let open = true;
    return {
      done: () => {
        if (open) this.breaker.retries--;
        open = false;
      },
    };
  }

  streamOpened(host: UpstreamHost): void {
    this.breaker.requests++;
    this.stats.upstream_rq_active++;
    this.stats.upstream_rq_total++;
    host.activeRequests++;
    host.totals.requests++;
  }

  streamClosed(host: UpstreamHost): void {
    this.breaker.requests--;
    this.stats.upstream_rq_active--;
    host.activeRequests--;
  }

  /** Lets what runs finish; nothing new is expected. */
  drain(): void {
    this.#outliers?.close();
    this.#outliers = null;
    for (const host of [...this.#pools.keys()]) this.#retire(host);
  }

  /** Ends every connection of the cluster. */
  close(): void {
    this.drain();
    for (const pool of [...this.#draining]) pool.close();
  }

  #poolOf(host: UpstreamHost): HttpPool {
    let pool = this.#pools.get(host);
    if (pool === undefined) {
      const created: HttpPool = new HttpPool(this.#context, host, () => this.#draining.delete(created));
      pool = created;
      this.#pools.set(host, pool);
    }
    return pool;
  }

  #retire(host: UpstreamHost): void {
    const pool = this.#pools.get(host);
    if (pool === undefined) return;
    this.#pools.delete(host);
    this.#draining.add(pool);
    pool.drain();
  }

  #createChooser(): HostChooser {
    const { policy, panicThreshold, localityWeighted } = this.#config;
    const { random } = this.#dependencies;
    return new HostChooser({
      hosts: this.hosts,
      createPicker: pickerFactory(policy, random),
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

function pickerFactory(policy: LoadBalancerPolicy, random: Random): PickerFactory {
  switch (policy.kind) {
    case "round-robin":
      return (hosts) => createRoundRobin(hosts, random);
    case "random":
      return (hosts) => createRandom(hosts, random);
    case "least-request":
      return (hosts) => createLeastRequest(hosts, random, policy.choices);
    case "ring-hash":
      return (hosts) => createRingHash(hosts, random, policy.minimumSize, policy.maximumSize);
  }
}
