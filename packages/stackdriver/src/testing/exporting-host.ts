import { VirtualClock } from "@mixerless/clock";
import { StateName, StructWriter } from "@mixerless/sdk";
import { type Attribute, FakeHost, type FakeStreamOptions } from "@mixerless/sdk/testing";
// Loaded when it is first needed, which takes no virtual time once it has been.
import "../cloud/messages.ts";
import { createStackdriver, type Stackdriver } from "../stackdriver.ts";
import { FakeCloud } from "./fake-cloud.ts";

const LABELS = {
  app: "ratings",
  version: "v1",
  "service.istio.io/canonical-name": "ratings",
  "service.istio.io/canonical-revision": "version-1",
};

/** The node of a workload in a cluster of Google's. */
const NODE = {
  NAME: "ratings-v1-84975bc778-pxz2w",
  NAMESPACE: "default",
  WORKLOAD_NAME: "ratings-v1",
  OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/ratings-v1",
  LABELS,
  INSTANCE_IPS: "10.52.0.34,fe80::a075",
  APP_CONTAINERS: "ratings",
  MESH_ID: "proj-123",
  PLATFORM_METADATA: {
    gcp_project: "test-project",
    gcp_gke_cluster_name: "test-cluster",
    gcp_location: "us-east4-b",
  },
} satisfies Attribute;

export interface ExportingHostOptions {
  readonly configuration?: unknown;
  /** Metadata of the node over {@link NODE}. */
  readonly node?: Readonly<Record<string, Attribute>>;
  /** Of a server if left out. */
  readonly outbound?: boolean;
  readonly credentialsFile?: string;
  readonly withMetrics?: boolean;
  readonly expressions?: ConstructorParameters<typeof FakeHost>[0]["expressions"];
}

/** The extension between a data plane without data and a cloud without a network, in virtual time. */
export class ExportingHost {
  readonly clock = new VirtualClock(1_700_000_000_000);
  readonly cloud = new FakeCloud();
  readonly stackdriver: Stackdriver;
  readonly host: FakeHost;

  constructor(options: ExportingHostOptions = {}) {
    const { configuration, node = {}, outbound = false, credentialsFile = "", withMetrics = true } = options;
    this.stackdriver = createStackdriver({
      ...{ clock: this.clock, random: () => 0, credentialsFile, withMetrics },
      connect: () => this.cloud.transport(),
    });
    this.host = new FakeHost({
      filters: [{ createRoot: this.stackdriver.createRoot, configuration }],
      attributes: { xds: { listener_direction: outbound ? 2 : 1, node: { metadata: { ...NODE, ...node } } } },
      ...(options.expressions === undefined ? {} : { expressions: options.expressions }),
    });
  }

  /** A request from beginning to end. `peer`: metadata of the other side. */
  request(options: FakeStreamOptions = {}, peer?: string, outbound = false): void {
    const exchange = this.host.open(options);
    if (peer !== undefined)
      exchange.stream.setState(new StateName(outbound ? "upstream_peer" : "downstream_peer"), peer);
    exchange.request();
    exchange.end();
  }

  /** Lets time pass, and what came of it settle. */
  async advance(milliseconds: number): Promise<void> {
    this.host.advance(milliseconds);
    this.clock.advance(milliseconds);
    await settle();
  }

  /** The result counters of `time_series` or `log_entry`. */
  counts(kind: string): Record<string, number> {
    const series = this.host.metrics.family("mixerless_cloud_export_total").filter(({ values }) => values[0] === kind);
    return Object.fromEntries(series.map(({ values, value }) => [values[1] ?? "", value]));
  }
}

/** Lets everything go on that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((wake) => setImmediate(wake));
}

/** The metadata of productpage, as the exchange leaves it in filter state. */
export function productpage(): string {
  const labels = new StructWriter();
  labels.addText("app", "productpage");
  labels.addText("version", "v1");
  labels.addText("service.istio.io/canonical-name", "productpage-v1");
  labels.addText("service.istio.io/canonical-revision", "version-1");
  const struct = new StructWriter();
  struct.addText("NAME", "productpage-v1-84975bc778-pxz2w");
  struct.addText("NAMESPACE", "default");
  struct.addText("WORKLOAD_NAME", "productpage-v1");
  struct.addText("OWNER", "kubernetes://apis/apps/v1/namespaces/default/deployments/productpage-v1");
  struct.addStruct("LABELS", labels);
  return struct.finish();
}
