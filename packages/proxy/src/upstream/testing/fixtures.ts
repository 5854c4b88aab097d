import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import type { ResponseDecoder } from "../../http/codec.ts";
import { SecretStore } from "../../tls/secret-store.ts";
import { createTlsStats } from "../../tls/stats.ts";
import { UpstreamTls, type UpstreamTlsConfig } from "../../tls/upstream-tls.ts";
import { socketAddress } from "../../transport/socket-address.ts";
import type { HttpPoolCallbacks, LoadBalancerContext } from "../cluster.ts";
import { type EndpointConfig, NO_LOCALITY } from "../upstream-host.ts";
import { FakeConnector } from "./fake-connector.ts";

export const ANY: LoadBalancerContext = {
  hash: null,
  downstream: null,
  requestHeaders: null,
  triedHosts: [],
  highPriority: false,
  hostAttempts: 0,
  triedPriorities: new Set(),
};

export function endpoint(ip: string, overrides: Partial<EndpointConfig> = {}): EndpointConfig {
  return {
    address: socketAddress(ip, 80),
    hostname: "",
    weight: 1,
    priority: 0,
    locality: NO_LOCALITY,
    localityWeight: 0,
    metadata: {},
    serving: true,
    ...overrides,
  };
}

/** A reproducible stand-in for chance (linear congruential, period 2³²). */
export function seededRandom(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

export function testDependencies() {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock, 10);
  const connector = new FakeConnector();
  const createTls = (config: UpstreamTlsConfig) =>
    new UpstreamTls({
      config,
      secrets: new SecretStore(),
      clock,
      stats: createTlsStats(new MetricStore({ clock }), "cluster", ["envoy_cluster_name", "test"]),
    });
  return { clock, wheel, connector, createTls, random: seededRandom() };
}

/** A request that only notes what became of it. */
export function request() {
  const events: string[] = [];
  const decoder: ResponseDecoder = {
    onInformational: () => {},
    onHeaders: () => events.push("response"),
    onData: () => {},
    onTrailers: () => {},
    onReset: (reason) => events.push(`reset ${reason}`),
    onDrain: () => {},
  };
  const callbacks: HttpPoolCallbacks = {
    onReady: (_encoder, host) => events.push(`ready ${host.address.text}`),
    onFailure: (reason, _host, details) => events.push(details === "" ? reason : `${reason}: ${details}`),
  };
  return { events, decoder, callbacks };
}
