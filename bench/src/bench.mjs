import { createServer } from "node:net";
import { startBackend } from "./peers/backend.mjs";
import { PROXY_CPU } from "./process.mjs";

/** What a row may use: sizes, peers on ports of their own, and places for what it found. */
export class Bench {
  sizes;
  backendPort;
  /** For files of this run. */
  directory;
  #ports;
  #reporter;

  constructor({ sizes, directory, ports, reporter }) {
    this.sizes = sizes;
    this.directory = directory;
    this.#ports = ports;
    this.#reporter = reporter;
    this.backendPort = this.nextPort();
  }

  nextPort() {
    const port = this.#ports.shift();
    if (port === undefined) throw new Error("no ports left");
    return port;
  }

  /** Another backend, on the proxies' CPU. */
  startBackendBeside() {
    return startBackend(this.nextPort(), this.directory, PROXY_CPU);
  }

  start(peer, features, label = peer.name, backendPort = this.backendPort) {
    return peer.start({ port: this.nextPort(), backendPort, directory: this.directory, features, label });
  }

  report(row, peer, metric, { ours, theirs, ratio }) {
    this.#reporter.found({ row, peer, metric, ours, theirs, ratio });
  }

  reportPair(row, peer, metric, ours, theirs) {
    this.report(row, peer, metric, { ours, theirs, ratio: ours / theirs });
  }

  /** A figure of ours that stands for itself. */
  reportAbsolute(row, metric, ours) {
    this.#reporter.found({ row, peer: null, metric, ours, theirs: null, ratio: null });
  }

  missing(row, peer, metric) {
    this.#reporter.missing(row, peer, metric);
  }
}

/** Ports that are free now, all different. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
