import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, VirtualClock } from "@mixerless/clock";
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
}

/** Each request in one line. */
const LOG_LINE = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:METHOD)% %REQ(:PATH)%\n";
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
    const decoded = decodeBootstrap(bootstrap(options, join(directory, "access.log")));
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

  drain(): void {
    this.#proxy.drain({ scope: "all", graceful: true, skipExit: false });
  }

  /** The lines of the access log, once there are `count`. */
  async log(this: WholeProxy<VirtualClock>, count: number): Promise<string[]> {
    for (;;) {
      this.clock.advance(LOG_INTERVAL);
      await new Promise((resolve) => setImmediate(resolve));
      const lines = this.#logLines();
      if (lines.length >= count) return lines;
    }
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    rmSync(this.#directory, { recursive: true });
  }

  #logLines(): string[] {
    try {
      return readFileSync(join(this.#directory, "access.log"), "latin1").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }
}

const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });

function socketAddress(port: number): object {
  return { socketAddress: { address: "127.0.0.1", portValue: port } };
}

function bootstrap(options: WholeProxyOptions, logPath: string): object {
  const manager = {
    ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    statPrefix: "test",
    routeConfig: {
      virtualHosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: ROUTE }] }],
    },
    httpFilters: [{ name: "router", typedConfig: type("filters.http.router.v3.Router") }],
    accessLog: [{ name: "file", typedConfig: { ...type("access_loggers.file.v3.FileAccessLog"), ...log(logPath) } }],
    ...options.manager,
  };
  const endpoint = { endpoint: { address: socketAddress(options.originPort) } };
  return {
    staticResources: {
      listeners: [
        {
          name: "http",
          address: socketAddress(0),
          filterChains: [{ filters: [{ name: "http", typedConfig: manager }] }],
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

function log(path: string): object {
  return { path, logFormat: { textFormatSource: { inlineString: LOG_LINE } } };
}
