import { describe, expect, it } from "vitest";
import type { FakeCluster } from "../../http/testing/fake-cluster.ts";
import { OUTCOME_LOG, routesTo, TestProxy } from "../../http/testing/test-proxy.ts";
import { forward } from "./testing/forwarding-proxy.ts";

/** Every way in which a request can come to nothing, and what client and log see of it [telemetry §1.8]. */
interface Row {
  readonly what: string;
  readonly action?: object;
  readonly happens: (cluster: FakeCluster, wait: (time: number) => void) => void;
  readonly status: number;
  readonly body: string;
  readonly flags: string;
  readonly details: string;
}

const RESET = "upstream connect error or disconnect/reset before headers. reset reason: ";
const before = (reason: string) => `upstream_reset_before_response_started{${reason}}`;

const ROWS: readonly Row[] = [
  {
    what: "no healthy host",
    happens: (cluster) => cluster.last.fail("no-healthy-upstream", "", null),
    status: 503,
    body: "no healthy upstream",
    flags: "UH",
    details: "no_healthy_upstream",
  },
  {
    what: "a limit of the cluster",
    happens: (cluster) => cluster.last.fail("overflow"),
    status: 503,
    body: `${RESET}overflow`,
    flags: "UO",
    details: before("overflow"),
  },
  {
    what: "a connection refused",
    happens: (cluster) => cluster.last.fail("connect-failure", "delayed connect error: Connection refused"),
    status: 503,
    body: `${RESET}remote connection failure`,
    flags: "UF",
    details: before("remote_connection_failure|delayed_connect_error:_Connection_refused"),
  },
  {
    what: "a connection that takes too long",
    happens: (cluster) => cluster.last.fail("connect-timeout"),
    status: 503,
    body: `${RESET}connection timeout`,
    flags: "UF",
    details: before("connection_timeout"),
  },
  {
    what: "a connection that ends before the response",
    happens: (cluster) => cluster.last.ready().decoder.onReset("connection-termination"),
    status: 503,
    body: `${RESET}connection termination`,
    flags: "UC",
    details: before("connection_termination"),
  },
  {
    what: "a stream that the upstream resets",
    happens: (cluster) => cluster.last.ready().decoder.onReset("remote"),
    status: 503,
    body: `${RESET}remote reset`,
    flags: "UR",
    details: before("remote_reset"),
  },
  {
    what: "a stream that is reset here",
    happens: (cluster) => cluster.last.ready().decoder.onReset("local"),
    status: 503,
    body: `${RESET}local reset`,
    flags: "LR",
    details: before("local_reset"),
  },
  {
    what: "a response that is not HTTP",
    happens: (cluster) => cluster.last.ready().decoder.onReset("protocol-error"),
    status: 502,
    body: `${RESET}protocol error`,
    flags: "UPE",
    details: before("protocol_error"),
  },
  {
    what: "the route's timeout",
    action: { timeout: "1s" },
    happens: (cluster, wait) => {
      cluster.last.ready();
      wait(1001);
    },
    status: 504,
    body: "upstream request timeout",
    flags: "UT",
    details: "response_timeout",
  },
  {
    what: "the timeout of the only try",
    action: { timeout: "9s", retryPolicy: { retryOn: "connect-failure", perTryTimeout: "1s" } },
    happens: (cluster, wait) => {
      cluster.last.ready();
      wait(1001);
    },
    status: 504,
    body: "upstream request timeout",
    flags: "UT",
    details: "upstream_per_try_timeout",
  },
  {
    what: "silence of the only try",
    action: { timeout: "9s", retryPolicy: { retryOn: "connect-failure", perTryIdleTimeout: "1s" } },
    happens: (cluster, wait) => {
      cluster.last.ready();
      wait(1001);
    },
    status: 504,
    body: "upstream request timeout",
    flags: "UT",
    details: "upstream_per_try_idle_timeout",
  },
  {
    what: "the route's idle timeout",
    action: { idleTimeout: "1s" },
    happens: (cluster, wait) => {
      cluster.last.ready();
      wait(1001);
    },
    status: 504,
    body: "stream timeout",
    flags: "SI",
    details: "stream_idle_timeout",
  },
  {
    what: "the route's stream duration",
    action: { maxStreamDuration: { maxStreamDuration: "1s" } },
    happens: (cluster, wait) => {
      cluster.last.ready();
      wait(1001);
    },
    status: 504,
    body: "downstream duration timeout",
    flags: "-",
    details: "max_duration_timeout",
  },
  {
    what: "retries used up",
    action: { retryPolicy: { retryOn: "5xx", numRetries: 0 } },
    happens: (cluster) => cluster.last.fail("connect-failure"),
    status: 503,
    body: `${RESET}remote connection failure`,
    flags: "UF,URX",
    details: before("remote_connection_failure"),
  },
];

/** The ways in which a request fails once its response has begun: the client's stream is reset, the status stays. */
const LATE = [
  ["connection-termination", "UPE", "protocol_error"],
  ["remote", "UR", "remote_reset"],
  ["protocol-error", "UPE", "protocol_error"],
] as const;

describe("what a failure looks like", () => {
  it.each(ROWS)("$what: $status $flags", ({ action, happens, status, body, flags, details }) => {
    const { test, cluster } = forward(action);
    cluster.mode = "wait";
    const exchange = test.request();
    happens(cluster, (time) => test.clock.advance(time));
    expect([exchange.status, exchange.body, test.log()]).toEqual([status, body, [`${status} ${flags} ${details}`]]);
    test.clock.advance(60_000);
    expect([cluster.attempts.length, test.log().length]).toEqual([1, 1]);
  });

  it.each(LATE)("%s after the response has begun: %s", (reason, flags, word) => {
    const { test, cluster } = forward();
    const exchange = test.request();
    cluster.last.begin(200).data("x").decoder.onReset(reason);
    expect([exchange.status, exchange.resetReason]).toEqual([200, "local"]);
    expect(test.log()).toEqual([`200 ${flags} upstream_reset_after_response_started{${word}}`]);
  });

  it.each([
    ["no route", [], 404, "NR", "route_not_found"],
    ["no cluster", [{ match: { prefix: "/" }, route: { cluster: "none" } }], 503, "NC", "cluster_not_found"],
    [
      "no cluster, told to say 404",
      [{ match: { prefix: "/" }, route: { cluster: "none", clusterNotFoundResponseCode: "NOT_FOUND" } }],
      404,
      "NC",
      "cluster_not_found",
    ],
    ["a direct response", [{ match: { prefix: "/" }, directResponse: { status: 418 } }], 418, "-", "direct_response"],
    ["a redirect", [{ match: { prefix: "/" }, redirect: { pathRedirect: "/b" } }], 301, "-", "direct_response"],
  ])("%s", (_what, routes, status, flags, details) => {
    const test = new TestProxy({ routeConfig: routesTo(routes), accessLog: [OUTCOME_LOG] });
    expect([test.request().status, test.log()]).toEqual([status, [`${status} ${flags} ${details}`]]);
  });

  it("a client that goes: 0 DC", () => {
    const { test, cluster } = forward();
    test.request().disconnect();
    expect([cluster.last.resetReason, test.log()]).toEqual(["local", ["0 DC downstream_remote_disconnect"]]);
  });
});
