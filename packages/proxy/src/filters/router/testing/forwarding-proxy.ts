import { OUTCOME_LOG, routesTo, TestProxy } from "../../../http/testing/test-proxy.ts";

/** A proxy whose only route leads to cluster `c`. */
export function forward(action: object = {}, options: { host?: object; log?: object; random?: () => number } = {}) {
  const route = { match: { prefix: "/" }, route: { cluster: "c", timeout: "0s", ...action } };
  const test = new TestProxy(
    { routeConfig: routesTo([route], options.host), accessLog: [options.log ?? OUTCOME_LOG], streamIdleTimeout: "0s" },
    options.random === undefined ? {} : { random: options.random },
  );
  return { test, cluster: test.clusters.add("c") };
}

export const POST = { ":method": "POST" };
