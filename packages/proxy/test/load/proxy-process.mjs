// The proxy of a load run, in a process of its own so that its memory can be told from that of clients and origin.
// Started by main.mjs; needs the built package. Argument: the origin's port. Each message is answered with the memory in use.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SystemClock } from "@mixerless/clock";
import { createProxy, decodeBootstrap } from "@mixerless/proxy";

const type = (name) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });
const address = (portValue) => ({ socketAddress: { address: "127.0.0.1", portValue } });
const manager = {
  ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
  statPrefix: "load",
  routeConfig: {
    virtualHosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [{ match: { prefix: "/" }, route: { cluster: "origin", timeout: "0s" } }],
      },
    ],
  },
  httpFilters: [{ name: "router", typedConfig: type("filters.http.router.v3.Router") }],
};
const endpoint = { endpoint: { address: address(Number(process.argv[2])) } };
const thresholds = [{ maxConnections: 20_000, maxPendingRequests: 20_000, maxRequests: 20_000 }];
const { message, faults } = decodeBootstrap({
  staticResources: {
    listeners: [
      { name: "http", address: address(0), filterChains: [{ filters: [{ name: "http", typedConfig: manager }] }] },
    ],
    clusters: [
      {
        name: "origin",
        type: "STATIC",
        connectTimeout: "5s",
        circuitBreakers: { thresholds },
        loadAssignment: { clusterName: "origin", endpoints: [{ lbEndpoints: [endpoint] }] },
      },
    ],
  },
});
if (faults !== undefined) throw new Error(faults.map((fault) => `${fault.path}: ${fault.message}`).join("\n"));

const proxy = createProxy({
  bootstrap: message,
  clock: new SystemClock(),
  extensions: {},
  log: console.error,
  random: Math.random,
  uuid: randomUUID,
  onQuit: () => {},
  version: "load",
});
await proxy.start();

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

process.on("message", () => {
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ rss, heapUsed, external });
});
process.on("disconnect", () => process.exit());
process.send(Number(/:(\d+)$/.exec(proxy.listenerAddress("http"))[1]));
