import { describe, expect, it } from "vitest";
import { programEnvironment } from "./program-environment.ts";
import { serviceCalls } from "./service-calls.ts";

const service = (name: string, namespace: string, ports: [string, number, string][]) => ({
  ...{ hostname: `${name}.${namespace}.svc.cluster.local`, namespace, registry: "kubernetes" },
  ...{ resolution: "client-side-lb", source: `Service ${namespace}/${name} (mesh.yaml:1)` },
  ports: ports.map(([port, number, protocol]) => ({ name: port, port: number, protocol, endpoints: [] })),
});
const REGISTRY = [
  service("stock", "default", [
    ["http", 8080, "HTTP"],
    ["grpc", 9090, "GRPC"],
    ["http-for-shop-v1", 41000, "HTTP"],
  ]),
  service("shop", "default", [["http", 8080, "HTTP"]]),
  service("mail-relay", "other", [["tcp", 25, "TCP"]]),
];
const OWN = { service: "shop", namespace: "default" };
const brief = (wanted: string[]) =>
  serviceCalls(REGISTRY, OWN, wanted).map(({ host, port, protocol }) => `${host} ${port} ${protocol}`);

describe("the services that a program may call", () => {
  it("are those of its namespace but itself, without ports that stand for single callers", () => {
    expect(brief([])).toEqual([
      "stock.default.svc.cluster.local 8080 http",
      "stock.default.svc.cluster.local 9090 grpc",
    ]);
  });

  it("are those that it names, in any namespace, on one port or on all", () => {
    expect(brief(["mail-relay.other", "stock:9090"])).toEqual([
      "mail-relay.other.svc.cluster.local 25 tcp",
      "stock.default.svc.cluster.local 9090 grpc",
    ]);
  });

  it("may join later: they get the usual port, or the one named", () => {
    expect(brief(["later", "later2:7000"])).toEqual([
      "later.default.svc.cluster.local 8080 http",
      "later2.default.svc.cluster.local 7000 http",
    ]);
  });

  it.each(["Stock", "stock:", "stock:0", "stock:70000", "a.b.c", ""])("refuses %j", (text) => {
    expect(() => brief([text])).toThrow(/is not of the form name/);
  });

  it("are in the program's environment under names that a shell can say", () => {
    const calls = serviceCalls(REGISTRY, OWN, ["stock", "mail-relay.other"]);
    const bound = calls.map((call, k) => ({ ...call, bind: `127.11.1.${k + 1}`, bindPort: call.port }));
    expect(programEnvironment(4000, bound)).toEqual({
      PORT: "4000",
      STOCK_SERVICE_HOST: "127.11.1.1",
      STOCK_SERVICE_PORT: "8080",
      STOCK_SERVICE_PORT_HTTP: "8080",
      STOCK_SERVICE_PORT_GRPC: "9090",
      MAIL_RELAY_SERVICE_HOST: "127.11.1.3",
      MAIL_RELAY_SERVICE_PORT: "25",
      MAIL_RELAY_SERVICE_PORT_TCP: "25",
    });
  });
});
