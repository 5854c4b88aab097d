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
  policy: { kind: "round-robin" },
  localityWeighted: false,
  panicThreshold: 0,
  limits: DEFAULT_LIMITS,
  pool: { connectTimeout: 1000, idleTimeout: 60_000, maxRequestsPerConnection: 0, localAddress: "127.0.10.1" },
  outlierDetection: null,
  metadata: {},
};

const OUTLIERS: OutlierDetectionConfig = {
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
  cluster.updateHosts(ips.map((ip) => endpoint(ip)));
  const send = () => {
    const sent = request();
    const pending = cluster.newStream(ANY, sent.decoder, sent.callbacks);
    return { ...sent, pending };
  };
  return { ...dependencies, cluster, send };
}

/** The first of a list that must not be empty. */
function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error("nothing there");
  return first;
}

describe("connections of a cluster", () => {
  it("carry one request after another and leave from the configured source address", () => {
    const { connector, send, cluster } = setUp();
    const first = send();
    expect(only(connector.attempts).localAddress).toBe("127.0.10.1");
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
    expect(sent.events).toEqual(["connect-timeout: connection timeout"]);
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
    cluster.updateHosts([endpoint("10.0.0.2")]);
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
    cluster.updateHosts([endpoint("10.0.0.1", { weight: 5 })]);
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
    const first = cluster.admitRetry();
    expect(first).not.toBeNull();
    expect(cluster.admitRetry()).toBeNull();
    first?.done();
    first?.done();
    expect(cluster.breaker.retries).toBe(0);
    cluster.reconfigure({ ...CONFIG, limits: { ...DEFAULT_LIMITS, retryBudget: { percent: 20, minimum: 2 } } });
    expect([cluster.admitRetry(), cluster.admitRetry(), cluster.admitRetry()].map((entry) => entry !== null)).toEqual([
      true,
      true,
      false,
    ]);
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

  it("gives every host back when it is switched off", () => {
    const { cluster } = setUp({ outlierDetection: OUTLIERS });
    const host = only([...cluster.hosts.hosts]);
    for (let i = 0; i < 3; i++) cluster.reportOutcome(host, 500, false);
    cluster.reconfigure(CONFIG);
    expect(host.healthy).toBe(true);
  });
});
