import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "./circuit-breaker.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { OutlierDetectionConfig } from "./outlier-detection.ts";
import { ANY, endpoint, request, testDependencies } from "./testing/fixtures.ts";
import { UpstreamCluster } from "./upstream-cluster.ts";

const CONFIG: ClusterConfig = {
  name: "outbound|80||a",
  statName: "outbound|80||a",
  discovery: { kind: "eds", serviceName: "a" },
  policy: { kind: "round-robin", slowStart: null },
  localityWeighted: false,
  panicThreshold: 0,
  limits: DEFAULT_LIMITS,
  highPriorityLimits: DEFAULT_LIMITS,
  maxStreamDuration: 0,
  pool: {
    connectTimeout: 1000,
    idleTimeout: 60_000,
    maxConnectionDuration: 0,
    maxRequestsPerConnection: 0,
    localAddress: "127.0.10.1",
    bufferLimit: 4096,
  },
  sockets: { identity: "", matches: [], fallback: null },
  outlierDetection: null,
  metadata: {},
};

const OFF = { enforcing: 0, minimumHosts: 3, requestVolume: 10, limit: 0 };

const OUTLIERS: OutlierDetectionConfig = {
  maxEjectionTimeJitter: 0,
  alwaysEjectOneHost: false,
  successRate: OFF,
  failurePercentage: OFF,
  enforcingLocalOriginSuccessRate: 0,
  enforcingFailurePercentageLocalOrigin: 0,
  interval: 10_000,
  baseEjectionTime: 30_000,
  maxEjectionTime: 300_000,
  maxEjectionPercent: 50,
  consecutive5xx: 3,
  enforcingConsecutive5xx: 100,
  consecutiveGatewayFailure: 0,
  enforcingConsecutiveGatewayFailure: 0,
  splitExternalLocalOriginErrors: false,
  consecutiveLocalOriginFailure: 5,
  enforcingConsecutiveLocalOriginFailure: 100,
};

function setUp(overrides: Partial<ClusterConfig> = {}, ips = ["10.0.0.1"]) {
  const dependencies = testDependencies();
  const cluster = new UpstreamCluster({ ...CONFIG, ...overrides }, dependencies);
  cluster.updateHosts(
    ips.map((ip) => endpoint(ip)),
    1.4,
  );
  const send = () => {
    const sent = request();
    const pending = cluster.newStream(ANY, sent.decoder, sent.callbacks);
    return { ...sent, pending };
  };
  const sendHigh = () => {
    const sent = request();
    cluster.newStream({ ...ANY, highPriority: true }, sent.decoder, sent.callbacks);
    return sent;
  };
  return { ...dependencies, cluster, send, sendHigh };
}

/** The first of a list that must not be empty. */
function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error("nothing there");
  return first;
}

describe("connections of a cluster", () => {
  it("carry one request after another, leave from the configured address and have the configured buffer", () => {
    const { connector, send, cluster } = setUp();
    const first = send();
    expect(only(connector.attempts)).toMatchObject({ localAddress: "127.0.10.1", bufferLimit: 4096 });
    const connection = only(connector.attempts).succeed();
    connection.respond();
    const second = send();
    connection.respond();
    expect(first.events).toEqual(["ready 10.0.0.1:80", "response"]);
    expect(second.events).toEqual(["ready 10.0.0.1:80", "response"]);
    expect(cluster.stats).toMatchObject({
      upstream_cx_total: 1,
      upstream_cx_active: 1,
      upstream_rq_total: 2,
      upstream_rq_active: 0,
    });
  });

  it("are opened for every request that finds none idle", () => {
    const { connector, send } = setUp();
    const requests = [send(), send(), send()];
    expect(connector.attempts).toHaveLength(3);
    for (const attempt of [...connector.attempts]) attempt.succeed();
    expect(requests.map((entry) => entry.events)).toEqual([
      ["ready 10.0.0.1:80"],
      ["ready 10.0.0.1:80"],
      ["ready 10.0.0.1:80"],
    ]);
  });

  it("fail the waiting requests with the reason when they cannot be made", () => {
    const { connector, send, cluster } = setUp();
    const sent = send();
    only(connector.attempts).fail("ECONNREFUSED");
    expect(sent.events).toEqual(["connect-failure: delayed connect error: Connection refused"]);
    expect(cluster.stats).toMatchObject({
      upstream_cx_active: 0,
      upstream_cx_connect_fail: 1,
      upstream_rq_pending_active: 0,
    });
  });

  it("give up after the connect timeout", () => {
    const { connector, send, clock } = setUp();
    const sent = send();
    const attempt = only(connector.attempts);
    clock.advance(1100);
    expect(sent.events).toEqual(["connect-timeout"]);
    expect(attempt.cancelled).toBe(true);
  });

  it("stay for the next request when the one they were opened for was cancelled", () => {
    const { connector, send, cluster } = setUp();
    send().pending?.cancel();
    only(connector.attempts).succeed();
    const next = send();
    expect(next.events).toEqual(["ready 10.0.0.1:80"]);
    expect(cluster.stats).toMatchObject({ upstream_rq_cancelled: 1, upstream_cx_total: 1 });
  });

  it("close after the idle timeout and after their number of requests", () => {
    const { connector, send, clock, cluster } = setUp({ pool: { ...CONFIG.pool, maxRequestsPerConnection: 2 } });
    send();
    const connection = only(connector.attempts).succeed();
    connection.respond();
    clock.advance(61_000);
    expect(connection.closed).toBe(true);
    send();
    const second = only(connector.attempts).succeed();
    second.respond();
    send();
    second.respond();
    expect(second.closed).toBe(true);
    expect(cluster.stats).toMatchObject({
      upstream_cx_idle_timeout: 1,
      upstream_cx_max_requests: 1,
      upstream_cx_active: 0,
    });
  });

  it("close when they themselves have been idle for too long, not when another one has", () => {
    const { connector, send, clock, cluster } = setUp();
    send();
    const early = only(connector.attempts).succeed();
    send();
    const late = only(connector.attempts).succeed();
    early.respond();
    clock.advance(30_000);
    late.respond();
    clock.advance(31_000);
    expect([early.closed, late.closed]).toEqual([true, false]);
    send();
    clock.advance(120_000);
    expect(late.closed).toBe(false);
    late.respond();
    clock.advance(59_000);
    expect(late.closed).toBe(false);
    clock.advance(2000);
    expect(late.closed).toBe(true);
    expect(cluster.stats.upstream_cx_idle_timeout).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it("follow an idle timeout that has changed", () => {
    const { connector, send, clock, cluster } = setUp();
    send();
    const connection = only(connector.attempts).succeed();
    connection.respond();
    cluster.reconfigure({ ...CONFIG, pool: { ...CONFIG.pool, idleTimeout: 1000 } });
    send();
    connection.respond();
    clock.advance(1200);
    expect(connection.closed).toBe(true);
  });

  it("close at their greatest age: idle ones at once, others with their request", () => {
    const { connector, send, clock, cluster } = setUp({ pool: { ...CONFIG.pool, maxConnectionDuration: 10_000 } });
    send();
    const idle = only(connector.attempts).succeed();
    idle.respond();
    clock.advance(10_100);
    expect([idle.closed, clock.pending]).toEqual([true, 1]);
    send();
    const busy = only(connector.attempts).succeed();
    clock.advance(10_100);
    expect(busy.closed).toBe(false);
    busy.respond();
    expect([busy.closed, cluster.stats.upstream_cx_max_duration_reached]).toEqual([true, 2]);
  });

  it("are replaced when one breaks while a request waits for it", () => {
    const { connector, send } = setUp({ limits: { ...DEFAULT_LIMITS, maxConnections: 1 } });
    send();
    const connection = only(connector.attempts).succeed();
    const waiting = send();
    expect(connector.attempts).toHaveLength(0);
    connection.breakDown();
    only(connector.attempts).succeed();
    expect(waiting.events).toEqual(["ready 10.0.0.1:80"]);
  });

  it("finish their request when the host is removed, then close", () => {
    const { connector, send, cluster } = setUp();
    const sent = send();
    const connection = only(connector.attempts).succeed();
    cluster.updateHosts([endpoint("10.0.0.2")], 1.4);
    expect(connection.closed).toBe(false);
    connection.respond();
    expect(sent.events).toEqual(["ready 10.0.0.1:80", "response"]);
    expect(connection.closed).toBe(true);
    expect(cluster.stats.upstream_cx_active).toBe(0);
  });

  it("survive a change of weight, priority or settings of their host", () => {
    const { connector, send, cluster } = setUp();
    send();
    const connection = only(connector.attempts).succeed();
    connection.respond();
    cluster.updateHosts([endpoint("10.0.0.1", { weight: 5 })], 1.4);
    cluster.reconfigure({ ...CONFIG, policy: { kind: "random" } });
    expect(send().events).toEqual(["ready 10.0.0.1:80"]);
    expect(connection.requests).toBe(2);
  });
});

describe("limits of a cluster", () => {
  it("refuse a request without a host", () => {
    const { send, cluster } = setUp({}, []);
    expect(send().events).toEqual(["no-healthy-upstream"]);
    expect(cluster.stats.upstream_cx_none_healthy).toBe(1);
  });

  it("refuse what exceeds the waiting requests", () => {
    const { send, cluster } = setUp({ limits: { ...DEFAULT_LIMITS, maxPendingRequests: 1 } });
    send();
    expect(send().events).toEqual(["overflow"]);
    expect(cluster.stats.upstream_rq_pending_overflow).toBe(1);
  });

  it("refuse what exceeds the requests in flight, and take more when one has ended", () => {
    const { send, connector } = setUp({ limits: { ...DEFAULT_LIMITS, maxRequests: 1 } });
    send();
    const connection = only(connector.attempts).succeed();
    expect(send().events).toEqual(["overflow"]);
    connection.respond();
    expect(send().events).toEqual(["ready 10.0.0.1:80"]);
  });

  it("let a request wait for a busy connection when no further one is allowed", () => {
    const { send, connector, cluster } = setUp({ limits: { ...DEFAULT_LIMITS, maxConnections: 1 } });
    send();
    const connection = only(connector.attempts).succeed();
    const waiting = send();
    connection.respond();
    expect(waiting.events).toEqual(["ready 10.0.0.1:80"]);
    expect(cluster.stats.upstream_cx_overflow).toBe(1);
  });

  it("admit retries up to the maximum, or by the budget", () => {
    const { cluster } = setUp({ limits: { ...DEFAULT_LIMITS, maxRetries: 1 } });
    const first = cluster.admitRetry(false);
    expect(first).not.toBeNull();
    expect(cluster.admitRetry(false)).toBeNull();
    first?.done();
    first?.done();
    expect(cluster.breaker.retries).toBe(0);
    cluster.reconfigure({ ...CONFIG, limits: { ...DEFAULT_LIMITS, retryBudget: { percent: 20, minimum: 2 } } });
    expect(
      [cluster.admitRetry(false), cluster.admitRetry(false), cluster.admitRetry(false)].map((entry) => entry !== null),
    ).toEqual([true, true, false]);
  });

  it("are kept apart for routes of high priority, connections too", () => {
    const { cluster, send, sendHigh, connector } = setUp({
      limits: { ...DEFAULT_LIMITS, maxRequests: 1, maxRetries: 0 },
      highPriorityLimits: { ...DEFAULT_LIMITS, maxRequests: 2, maxRetries: 1 },
    });
    send();
    only(connector.attempts).succeed();
    expect(send().events).toEqual(["overflow"]);
    const high = [sendHigh(), sendHigh()];
    for (const attempt of [...connector.attempts]) attempt.succeed();
    expect(high.map((sent) => sent.events)).toEqual([["ready 10.0.0.1:80"], ["ready 10.0.0.1:80"]]);
    expect(sendHigh().events).toEqual(["overflow"]);
    expect([cluster.breaker.requests, cluster.highPriorityBreaker.requests]).toEqual([1, 2]);
    expect([cluster.admitRetry(false), cluster.admitRetry(true) !== null, cluster.admitRetry(true)]).toEqual([
      null,
      true,
      null,
    ]);
    cluster.close();
    expect([cluster.breaker.connections, cluster.highPriorityBreaker.connections]).toEqual([0, 0]);
  });

  it("count a request that was given up locally as ended", () => {
    const { send, connector, cluster } = setUp();
    const sent = send();
    only(connector.attempts).succeed().breakDown();
    expect(sent.events).toEqual(["ready 10.0.0.1:80", "reset connection-termination"]);
    expect(cluster.breaker).toMatchObject({ requests: 0, connections: 0, pending: 0 });
  });
});

describe("outlier detection", () => {
  it("ejects after consecutive errors, never more than the share, and takes back after the time", () => {
    const { cluster, clock } = setUp({ outlierDetection: OUTLIERS }, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    const [first, second] = [...cluster.hosts.hosts];
    if (first === undefined || second === undefined) throw new Error("hosts missing");
    for (const status of [500, 500, 200, 500, 500]) cluster.reportOutcome(first, status, false);
    expect(first.healthy).toBe(true);
    cluster.reportOutcome(first, 500, false);
    expect(first.healthy).toBe(false);
    // A second one would be two of three: over 50 %.
    for (let i = 0; i < 3; i++) cluster.reportOutcome(second, 503, false);
    expect(second.healthy).toBe(true);
    clock.advance(29_000);
    expect(first.healthy).toBe(false);
    clock.advance(10_000);
    expect(first.healthy).toBe(true);
  });

  it("ejects longer each time in a row", () => {
    const { cluster, clock } = setUp({ outlierDetection: { ...OUTLIERS, maxEjectionPercent: 100 } });
    const host = only([...cluster.hosts.hosts]);
    const fail = () => {
      for (let i = 0; i < 3; i++) cluster.reportOutcome(host, 0, true);
    };
    fail();
    clock.advance(30_000);
    expect(host.healthy).toBe(true);
    fail();
    clock.advance(50_000);
    expect(host.healthy).toBe(false);
    clock.advance(20_000);
    expect(host.healthy).toBe(true);
  });

  it("ejects no host that alone is more than the share, unless told to", () => {
    const fail = (overrides: Partial<OutlierDetectionConfig>) => {
      const { cluster } = setUp({ outlierDetection: { ...OUTLIERS, maxEjectionPercent: 10, ...overrides } });
      const host = only([...cluster.hosts.hosts]);
      for (let i = 0; i < 3; i++) cluster.reportOutcome(host, 500, false);
      return [host.healthy, cluster.stats.outlier_detection_ejections_overflow];
    };
    expect(fail({})).toEqual([true, 1]);
    expect(fail({ alwaysEjectOneHost: true })).toEqual([false, 0]);
  });

  /** The hosts that are out after one interval in which host i had 100 requests, `failures[i]` of them failed. */
  function outAfter(failures: readonly number[], overrides: Partial<OutlierDetectionConfig>, local = false): number[] {
    const outlierDetection = { ...OUTLIERS, consecutive5xx: 0, maxEjectionPercent: 100, ...overrides };
    const ips = failures.map((_, i) => `10.0.0.${i}`);
    const { cluster, clock } = setUp({ outlierDetection }, ips);
    [...cluster.hosts.hosts].forEach((host, i) => {
      for (let n = 0; n < 100; n++) {
        const failed = n < (failures[i] ?? 0);
        cluster.reportOutcome(host, failed ? (local ? 0 : 500) : 200, failed && local);
      }
    });
    clock.advance(10_000);
    return [...cluster.hosts.hosts].flatMap((host, i) => (host.healthy ? [] : [i]));
  }

  it("ejects hosts whose success rate lies far below the mean of those with enough requests", () => {
    const successRate = { enforcing: 100, minimumHosts: 5, requestVolume: 100, limit: 1900 };
    expect(outAfter([0, 0, 0, 0, 0, 50], { successRate })).toEqual([5]);
    // The fifth is below the mean, but not beyond the deviation.
    expect(outAfter([0, 0, 0, 0, 20, 60], { successRate })).toEqual([5]);
    expect(outAfter([0, 0, 0, 50], { successRate })).toEqual([]);
    expect(outAfter([0, 0, 0, 0, 0, 50], { successRate: { ...successRate, requestVolume: 101 } })).toEqual([]);
    expect(outAfter([0, 0, 0, 0, 0, 50], { successRate: { ...successRate, enforcing: 0 } })).toEqual([]);
  });

  it("ejects hosts by the percentage of their failures", () => {
    const failurePercentage = { enforcing: 100, minimumHosts: 2, requestVolume: 50, limit: 85 };
    expect(outAfter([84, 85, 100], { failurePercentage })).toEqual([1, 2]);
  });

  it("looks at local failures by themselves where they are split off", () => {
    const failurePercentage = { enforcing: 100, minimumHosts: 2, requestVolume: 50, limit: 85 };
    const split = { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: 0, failurePercentage };
    expect(outAfter([0, 90], split, true)).toEqual([]);
    expect(outAfter([0, 90], { ...split, enforcingFailurePercentageLocalOrigin: 100 }, true)).toEqual([1]);
  });

  it("lets chance lengthen an ejection, so that hosts do not return together", () => {
    const { cluster, clock } = setUp({
      outlierDetection: { ...OUTLIERS, maxEjectionPercent: 100, maxEjectionTimeJitter: 1e9 },
    });
    const host = only([...cluster.hosts.hosts]);
    for (let i = 0; i < 3; i++) cluster.reportOutcome(host, 500, false);
    clock.advance(40_000);
    expect(host.healthy).toBe(false);
  });

  it("gives every host back when it is switched off", () => {
    const { cluster } = setUp({ outlierDetection: { ...OUTLIERS, maxEjectionPercent: 100 } });
    const host = only([...cluster.hosts.hosts]);
    for (let i = 0; i < 3; i++) cluster.reportOutcome(host, 500, false);
    cluster.reconfigure(CONFIG);
    expect(host.healthy).toBe(true);
  });
});
