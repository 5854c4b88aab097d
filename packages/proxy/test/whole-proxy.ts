import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, VirtualClock } from "@mixerless/clock";
import type { ExposeOptions } from "@mixerless/metrics";
import { formatFault } from "@mixerless/wire";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "../src/index.ts";

export interface WholeProxyOptions<C extends Clock = Clock> {
  readonly originPort: number;
  readonly clock: C;
  /** Fields of the connection manager that differ from the plain one. */
  readonly manager?: object;
  /** Fields of the listener and of the cluster. */
  readonly listener?: object;
  readonly cluster?: object;
  /** The listener's own log: a line for each connection, in this format. */
  readonly connectionLog?: string;
  /** What lets a connection into that log. */
  readonly connectionFilter?: object;
  /** Fields of the bootstrap beside its resources. */
  readonly bootstrap?: object;
}

/** Each request in one line. */
const LOG_LINE = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:METHOD)% %REQ(:PATH)%\n";
const ACCESS_LOG = "access.log";
const CONNECTION_LOG = "connections.log";
/** Lines wait no longer than this for their batch, milliseconds. */
const LOG_INTERVAL = 250;

/** A data plane as it runs in a sidecar, with sockets, in front of one origin; only its clock may be the test's. */
export class WholeProxy<C extends Clock = VirtualClock> {
  readonly clock: C;
  readonly #proxy: DataPlane;
  readonly #directory: string;
  readonly port: number;

  private constructor(proxy: DataPlane, clock: C, directory: string) {
    this.#proxy = proxy;
    this.clock = clock;
    this.#directory = directory;
    this.port = Number(/:(\d+)$/.exec(proxy.listenerAddress("http") ?? "")?.[1]);
  }

  static async start<C extends Clock>(options: WholeProxyOptions<C>): Promise<WholeProxy<C>> {
    const directory = mkdtempSync(join(tmpdir(), "mixerless-proxy-"));
    const decoded = decodeBootstrap(bootstrap(options, directory));
    if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
    let ids = 0;
    const proxy = createProxy({
      bootstrap: decoded.message,
      clock: options.clock,
      extensions: {},
      log: () => {},
      random: () => 0.5,
      uuid: () => `id-${++ids}`,
      onQuit: () => {},
      version: "test",
    });
    await proxy.start();
    return new WholeProxy(proxy, options.clock, directory);
  }

  /** The value of one series of the connection manager, 0 where there is none. */
  stat(name: string): number {
    const line = new RegExp(`^envoy_http_${name}\\{[^}]*prefix="test"[^}]*\\} (\\d+)$`, "m");
    return Number(line.exec(this.#proxy.metrics.text())?.[1] ?? 0);
  }

  /** Requests with a status of this class, by the proxy's own count. */
  answered(statusClass: number): number {
    const line = new RegExp(
      `^envoy_http_downstream_rq_xx\\{envoy_response_code_class="${statusClass}".*\\} (\\d+)$`,
      "m",
    );
    return Number(line.exec(this.#proxy.metrics.text())?.[1] ?? 0);
  }

  /** Everything that a scrape gets. */
  async exposed(options?: ExposeOptions): Promise<string> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#proxy.series.expose(options)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  drain(): void {
    this.#proxy.drain({ scope: "all", graceful: true, skipExit: false });
  }

  /** The lines of the access log, once there are `count`. */
  log(this: WholeProxy<VirtualClock>, count: number): Promise<string[]> {
    return this.#lines(ACCESS_LOG, count);
  }

  /** The lines of the listener's log, once there are `count`. */
  connectionLog(this: WholeProxy<VirtualClock>, count: number): Promise<string[]> {
    return this.#lines(CONNECTION_LOG, count);
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    rmSync(this.#directory, { recursive: true });
  }

  async #lines(this: WholeProxy<VirtualClock>, file: string, count: number): Promise<string[]> {
    for (;;) {
      this.clock.advance(LOG_INTERVAL);
      await new Promise((resolve) => setImmediate(resolve));
      const lines = this.#read(file);
      if (lines.length >= count) return lines;
    }
  }

  #read(file: string): string[] {
    try {
      return readFileSync(join(this.#directory, file), "latin1").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }
}

const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });

function socketAddress(port: number): object {
  return { socketAddress: { address: "127.0.0.1", portValue: port } };
}

function bootstrap(options: WholeProxyOptions, directory: string): object {
  const { connectionLog, connectionFilter: filter } = options;
  const manager = {
    ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    statPrefix: "test",
    routeConfig: {
      virtualHosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: ROUTE }] }],
    },
    httpFilters: [{ name: "router", typedConfig: type("filters.http.router.v3.Router") }],
    accessLog: [fileLog(join(directory, ACCESS_LOG), LOG_LINE)],
    ...options.manager,
  };
  const endpoint = { endpoint: { address: socketAddress(options.originPort) } };
  return {
    ...options.bootstrap,
    staticResources: {
      listeners: [
        {
          name: "http",
          address: socketAddress(0),
          filterChains: [{ filters: [{ name: "http", typedConfig: manager }] }],
          ...(connectionLog === undefined
            ? {}
            : { accessLog: [{ ...fileLog(join(directory, CONNECTION_LOG), `${connectionLog}\n`), filter }] }),
          ...options.listener,
        },
      ],
      clusters: [
        {
          name: "origin",
          type: "STATIC",
          connectTimeout: "5s",
          loadAssignment: { clusterName: "origin", endpoints: [{ lbEndpoints: [endpoint] }] },
          ...options.cluster,
        },
      ],
    },
  };
}

const ROUTE = { cluster: "origin", timeout: "0s" };

function fileLog(path: string, format: string): object {
  const logFormat = { textFormatSource: { inlineString: format } };
  return { name: "file", typedConfig: { ...type("access_loggers.file.v3.FileAccessLog"), path, logFormat } };
}
