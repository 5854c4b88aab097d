import { VirtualClock } from "@mixerless/clock";
import { beforeEach, describe, expect, it } from "vitest";
import { ConfigStore } from "../config/config-store.ts";
import { readConfig } from "../config/read-config.ts";
import { createPushContext } from "../model/create-push-context.ts";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import { type JoinRequest, parseJoin } from "./join-request.ts";
import { JoinedWorkloads } from "./joined-workloads.ts";

interface Offer {
  name?: string;
  version?: string;
  port?: number;
  instance?: string;
  address?: string;
  calls?: unknown;
  protocol?: string;
  podPorts?: string;
  reportsHealth?: unknown;
  labels?: Record<string, string>;
}

function node(offer: Offer): ProxyNode {
  const { name = "web", version = "v1", port = 8080, instance = "one", address = "127.0.20.1" } = offer;
  const { calls = [], protocol = "http" } = offer;
  const parsed = parseProxyNode({
    id: `sidecar~${address}~${name}-${version}.default~default.svc.cluster.local`,
    cluster: `${name}.default`,
    userAgentName: "mixerless",
    metadata: {
      NAMESPACE: "default",
      INSTANCE_IPS: address,
      LABELS: offer.labels ?? { app: name, version },
      SERVICE_ACCOUNT: name,
      POD_PORTS: offer.podPorts ?? JSON.stringify([{ name: protocol, containerPort: port, protocol: "TCP" }]),
      MIXERLESS_JOIN: {
        instance,
        service: name,
        servicePort: port,
        application: "127.0.0.1:40000",
        owner: `pid ${instance}`,
        calls,
        ...(offer.reportsHealth === undefined ? {} : { reportsHealth: offer.reportsHealth }),
      },
    },
  } as never);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

function offer(facts: Offer = {}): JoinRequest {
  const request = parseJoin(node(facts));
  if (request === null || typeof request === "string") throw new Error(request ?? "no offer");
  return request;
}

const CALL = {
  ...{ host: "stock.default.svc.cluster.local", namespace: "default", port: 8080, protocol: "http" },
  ...{ bind: "127.11.1.1", bindPort: 8080 },
};

describe("a workload that joins", () => {
  let clock: VirtualClock;
  let store: ConfigStore;
  let joined: JoinedWorkloads;

  beforeEach(() => {
    clock = new VirtualClock();
    store = new ConfigStore();
    joined = new JoinedWorkloads(store, clock, 1);
  });

  const names = () =>
    (["Service", "WorkloadEntry", "Sidecar"] as const).flatMap((kind) =>
      store
        .snapshot()
        .list(kind)
        .map((object) => `${kind} ${object.namespace}/${object.name}`),
    );

  it("becomes a Service, a WorkloadEntry and a Sidecar without capture", () => {
    expect(joined.join(offer({ calls: [CALL] }), "c1")).toBeNull();
    expect(names()).toEqual(["Service default/web", "WorkloadEntry default/web-v1", "Sidecar default/web-v1"]);
    expect(store.faults()).toEqual([]);
    const [sidecar] = store.snapshot().list("Sidecar");
    expect(sidecar?.raw.spec).toEqual({
      workloadSelector: { labels: { app: "web", version: "v1" } },
      ingress: [
        {
          port: { number: 8080, protocol: "HTTP", name: "http" },
          bind: "127.0.20.1",
          captureMode: "NONE",
          defaultEndpoint: "127.0.0.1:40000",
        },
      ],
      egress: [
        {
          port: { number: 8080, protocol: "HTTP", name: "http-stock-8080" },
          bind: "127.11.1.1",
          captureMode: "NONE",
          hosts: ["default/stock.default.svc.cluster.local"],
        },
      ],
    });
  });

  it("stays for 10 seconds after its connection ended, and no longer", () => {
    const request = offer();
    joined.join(request, "c1");
    joined.disconnect(request, "c1");
    clock.advance(9_999);
    expect(names()).toHaveLength(3);
    expect(joined.list()).toMatchObject([{ name: "web-v1", connected: false }]);
    clock.advance(1);
    expect(names()).toEqual([]);
    expect(joined.list()).toEqual([]);
  });

  it("stays when it reconnects within that time, and nothing changes for others", () => {
    const request = offer();
    joined.join(request, "c1");
    const { revision } = store.snapshot();
    joined.disconnect(request, "c1");
    clock.advance(5_000);
    expect(joined.join(request, "c2")).toBeNull();
    clock.advance(60_000);
    expect(names()).toHaveLength(3);
    expect(store.snapshot().revision).toBe(revision);
    expect(clock.pending).toBe(0);
  });

  it("is not dropped by the late end of a connection that it has replaced", () => {
    const request = offer();
    joined.join(request, "c1");
    joined.join(request, "c2");
    joined.disconnect(request, "c1");
    clock.advance(60_000);
    expect(names()).toHaveLength(3);
  });

  it("takes over the name of one that has gone, at its new address, without waiting", () => {
    const gone = offer();
    joined.join(gone, "c1");
    joined.disconnect(gone, "c1");
    expect(joined.join(offer({ instance: "two", address: "127.0.20.9" }), "c2")).toBeNull();
    clock.advance(60_000);
    expect(store.snapshot().list("WorkloadEntry")[0]?.raw.spec).toMatchObject({ address: "127.0.20.9" });
  });

  const places = () => {
    const push = createPushContext(store.snapshot());
    return push.services.flatMap(({ key }) =>
      push.endpoints(key, 8080).map(({ address, port }) => `${address}:${port}`),
    );
  };

  it("that reports its health has an endpoint only while it is well", () => {
    const request = offer({ reportsHealth: true });
    joined.join(request, "c1");
    expect([names().length, places()]).toEqual([3, []]);
    joined.report(request, "c1", true);
    expect([names().length, places()]).toEqual([3, ["127.0.20.1:8080"]]);
    expect(store.faults()).toEqual([]);
    joined.report(request, "c1", false);
    expect(places()).toEqual([]);
    expect(joined.list()).toMatchObject([{ name: "web-v1", connected: true, healthy: false }]);
  });

  it("that said that it is not well goes with its connection", () => {
    const request = offer({ reportsHealth: true });
    joined.join(request, "c1");
    joined.report(request, "c1", true);
    joined.report(request, "c1", false);
    joined.disconnect(request, "c1");
    expect(names()).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("that reconnects is as well as it was; another in its place has to say so first", () => {
    const request = offer({ reportsHealth: true });
    joined.join(request, "c1");
    joined.report(request, "c1", true);
    joined.disconnect(request, "c1");
    expect(places()).toEqual(["127.0.20.1:8080"]);
    joined.join(request, "c2");
    joined.report(request, "c1", false);
    expect(places()).toEqual(["127.0.20.1:8080"]);
    joined.disconnect(request, "c2");
    joined.join(offer({ reportsHealth: true, instance: "two", address: "127.0.20.9" }), "c3");
    expect(places()).toEqual([]);
  });

  it("that did not say that it reports its health is not judged by it", () => {
    const request = offer();
    joined.join(request, "c1");
    joined.report(request, "c1", false);
    expect(places()).toEqual(["127.0.20.1:8080"]);
  });

  it("is refused while another holds the name, and learns who", () => {
    joined.join(offer(), "c1");
    expect(joined.join(offer({ instance: "two", address: "127.0.20.9" }), "c2")).toMatch(
      /web-v1\.default is taken by pid one at 127\.0\.20\.1, joined 2026-01-01T00:00:00\.000Z\. Give another --name or --version/,
    );
    expect(joined.list()).toHaveLength(1);
  });

  it("shares a service with other versions of it on the same port only", () => {
    joined.join(offer(), "c1");
    expect(joined.join(offer({ version: "v2", instance: "two", address: "127.0.20.2" }), "c2")).toBeNull();
    expect(store.snapshot().list("Service")).toHaveLength(1);
    expect(joined.join(offer({ version: "v3", instance: "three", port: 9090 }), "c3")).toMatch(
      /web\.default has the port 8080 \(http\) by web-v1, joined by pid one; this is 9090/,
    );
    joined.disconnect(offer(), "c1");
    clock.advance(10_000);
    expect(names()).toEqual(["Service default/web", "WorkloadEntry default/web-v2", "Sidecar default/web-v2"]);
  });

  const file = (text: string) => store.apply([{ reading: readConfig({ file: "mesh.yaml", text }) }]);
  const service = (selector: string) =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec:\n  selector: ${selector}\n  ports: [{name: http, port: 8080}]\n`;

  it("joins a Service of the files that selects it, on a port that it has", () => {
    file(service("{app: web}"));
    expect(joined.join(offer({ port: 80 }), "c1")).toMatch(/mesh\.yaml:1 has the ports 8080 \(http\), not 80/);
    expect(joined.join(offer(), "c1")).toBeNull();
    expect(store.faults()).toEqual([]);
    expect(store.snapshot().list("Service")).toHaveLength(1);
  });

  it("is refused by a Service of the files that does not select it, and by a workload of its name", () => {
    file(service("{app: other}"));
    expect(joined.join(offer(), "c1")).toMatch(/Service default\/web in mesh\.yaml:1 does not select app=web/);
    file(
      "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: web-v1, namespace: default}\nspec: {address: 10.0.0.1}\n",
    );
    expect(joined.join(offer(), "c1")).toMatch(/web-v1\.default is taken by the WorkloadEntry in mesh\.yaml:1/);
    expect(joined.list()).toEqual([]);
  });

  it("has a further port of its service for each caller that shares an address with others", () => {
    joined.join(offer({ name: "stock", address: "127.0.0.1" }), "c1");
    joined.join(offer({ instance: "two", address: "127.0.0.1", calls: [{ ...CALL, bindPort: 41000 }] }), "c2");
    const [stock] = store.snapshot().list("Service");
    expect(stock?.raw.spec).toMatchObject({
      ports: [
        { name: "http", port: 8080, targetPort: 8080 },
        { name: "http-for-web-v1", port: 41000, targetPort: 8080 },
      ],
    });
    expect(store.faults()).toEqual([]);
  });

  it.each<[string, Offer, RegExp]>([
    ["a port that is no JSON list", { podPorts: "8080" }, /POD_PORTS must be the JSON text/],
    ["broken JSON", { podPorts: "[{" }, /POD_PORTS must be the JSON text/],
    ["an unknown protocol", { protocol: "smtp" }, /the port is named "smtp", known are http, http2, grpc, tcp/],
    ["a call without an address", { calls: [{ ...CALL, bind: "here" }] }, /calls\[0\] needs host/],
    ["too many calls", { calls: Array.from({ length: 255 }, () => CALL) }, /at most 254/],
    ["a word for whether its health is told", { reportsHealth: "yes" }, /reportsHealth must be true or false/],
    ["no label for its service", { labels: { version: "v1" } }, /LABELS must have app/],
    ["a bad name", { name: "Web" }, /NAME "Web-v1" is no name/],
  ])("is refused with the reason when it offers %s", (_what, facts, reason) => {
    expect(parseJoin(node(facts))).toMatch(reason);
  });

  it("leaves no timer behind when the control plane closes", () => {
    const request = offer();
    joined.join(request, "c1");
    joined.disconnect(request, "c1");
    joined.close();
    expect(clock.pending).toBe(0);
  });
});
