import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";
import { startEmbedded } from "./embedded-proxy.ts";
import { EnvoyServer } from "./envoy-server.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

/** As pilot writes `pathNormalization` of the mesh. */
const MODES = {
  NONE: { normalize_path: false },
  BASE: { normalize_path: true },
  MERGE_SLASHES: { normalize_path: true, merge_slashes: true },
  DECODE_AND_MERGE_SLASHES: {
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD",
  },
};
type Mode = keyof typeof MODES;

const TARGETS = [
  ...["/admin", "/public", "/admin/", "/admin?x", "//admin", "/./admin", "/public/../admin", "/public/..//admin"],
  ...[
    "/public//../admin",
    "/public/%2e%2e/admin",
    "/public/.%2E/admin",
    "/%61dmin",
    "/%2561dmin",
    "/public/..%2fadmin",
  ],
  ...[
    "/public%5c..%5cadmin",
    "/%2fadmin",
    "/public\\..\\admin",
    "/ADMIN",
    "/admin.",
    "/admin;x=1",
    "/public;/../admin",
  ],
  ...[
    "/public/%c0%ae%c0%ae/admin",
    "/public/..;/admin",
    "/public/..;x=1/admin",
    "/a/.;/b",
    "/a/..;",
    "/a/;/b",
    "/a;/..;;/b",
    "/admin%00",
    "/admin#x",
    "/public/%23/../admin",
  ],
  ...["/public/...//admin", "/public/../../admin", "/..%2f..%2fadmin", "*", "admin", "http://shop.example/admin"],
  ...[
    "http://shop.example//admin",
    "http://shop.example/public/../admin",
    "http://shop.example",
    "/public/%2e%2e%2fadmin",
  ],
  ...[
    "/public/%2%65%2%65/admin",
    "/public/..%2%66admin",
    "/%%36%31dmin",
    "/%%32%65",
    "/100%",
    "/%zz",
    "/%2",
    "/a/.",
    "/a/..",
  ],
  ...[
    "/public/.%00./admin",
    "/%u0061dmin",
    "/%7Eadmin/%7e",
    "/public/%zz/../admin",
    "/a?b=/../c",
    "/a%3f/../b",
    "/..",
    "/.",
  ],
];

describe.skipIf(without.some(Boolean))(titled("paths", without), () => {
  let folder: string;
  let origin: Server;
  let seen: string | null = null;
  const stops: (() => Promise<void>)[] = [];
  const ports: Record<string, Record<string, number>> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-paths-"));
    origin = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        seen = bytes.toString("latin1").split(" ")[1] ?? null;
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      });
    });
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    for (const name of ["envoy", "ours"]) {
      const own: Record<string, number> = {};
      for (const mode of Object.keys(MODES)) own[mode] = await freePort();
      ports[name] = own;
      const admin = await freePort();
      const config = bootstrap(own, (origin.address() as AddressInfo).port, admin);
      if (name === "ours") {
        const proxy = await startEmbedded(config);
        stops.push(() => proxy.close());
        continue;
      }
      const file = join(folder, "envoy.json");
      await writeFile(file, JSON.stringify(config));
      const envoy = await EnvoyServer.start(program ?? "", file, `http://127.0.0.1:${admin}`);
      stops.push(() => envoy.stop());
    }
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function ask(name: string, mode: string, target: string): Promise<string> {
    seen = null;
    const status = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect({ host: "127.0.0.1", port: ports[name]?.[mode] ?? 0 }, () =>
        socket.write(`GET ${target} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n`, "latin1"),
      );
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(text.split(" ")[1] ?? ""));
    });
    return `${status} ${seen}`;
  }

  describe.each(Object.keys(MODES) as Mode[])("%s", (mode) => {
    it.each(TARGETS)("%s", async (target) => {
      expect(await ask("ours", mode, target)).toBe(await ask("envoy", mode, target));
    });
  });
});

function bootstrap(ports: Readonly<Record<string, number>>, origin: number, admin: number): object {
  const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const listener = ([name, port]: [string, number]) => {
    const manager = {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: "paths",
      route_config: {
        name: "local_route",
        virtual_hosts: [
          { name: "all", domains: ["*"], routes: [{ match: { prefix: "" }, route: { cluster: "origin" } }] },
        ],
      },
      http_filters: [
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        },
      ],
      ...MODES[name as Mode],
    };
    const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
    return { name, address: address(port), filter_chains: [{ filters }] };
  };
  return {
    node: { id: "paths", cluster: "paths" },
    admin: { address: address(admin) },
    static_resources: {
      listeners: Object.entries(ports).map(listener),
      clusters: [
        {
          name: "origin",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: {
            cluster_name: "origin",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(origin) } }] }],
          },
        },
      ],
    },
  };
}
