import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { readCertificate } from "@mixerless/identity";
import { SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import { SecretDiscoveryService } from "@mixerless/wire/envoy/service/secret/v3/sds";
import { grpcMethod, TypeUrl } from "@mixerless/xds";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "./running-demo.ts";

const NAME = "details-v1";
const HOUR = 3_600_000;
const BACKDATED = 120_000;

interface Bootstrap {
  readonly node: object & { readonly id: string };
  readonly staticResources: { readonly clusters: readonly Cluster[] };
}
interface Cluster {
  readonly name: string;
  readonly transportSocket?: object;
  readonly loadAssignment: { readonly endpoints: readonly { readonly lbEndpoints: readonly LbEndpoint[] }[] };
}
interface LbEndpoint {
  readonly endpoint: { readonly address: { readonly pipe?: { readonly path: string } } };
}

describe("a workload of the demo whose sidecar somebody else runs, under strict mutual TLS", () => {
  let demo: RunningDemo;
  let bootstrap: Bootstrap;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--external", NAME);
    bootstrap = JSON.parse(await readFile(demo.workload(NAME).bootstrap ?? "", "utf8")) as Bootstrap;
  }, 60_000);

  afterAll(() => demo?.stop());

  const cluster = (name: string) => bootstrap.staticResources.clusters.find((one) => one.name === name);
  const socket = () =>
    cluster("sds-grpc")?.loadAssignment.endpoints[0]?.lbEndpoints[0]?.endpoint.address.pipe?.path ?? "";

  it("reaches the control plane by TLS, with what a socket of its owner's alone gives", async () => {
    expect(JSON.stringify(cluster("xds-grpc")?.transportSocket)).toContain("sds-grpc");
    const modes = await Promise.all([dirname(socket()), socket()].map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o700, 0o600]);
  });

  it("gets its own certificate there, which does not outlive what may pass before a new root signs", async () => {
    const chain = await ownCertificate(socket(), bootstrap.node.id);
    const { identity, notBefore, notAfter } = readCertificate(chain);
    expect(identity).toEqual({
      trustDomain: "cluster.local",
      namespace: "default",
      serviceAccount: "bookinfo-details",
    });
    expect(notAfter - notBefore).toBeLessThanOrEqual(HOUR + BACKDATED);
  });
});

/** PEM of the chain that `default` holds. */
function ownCertificate(socket: string, id: string): Promise<string> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = grpcMethod(SecretDiscoveryService.method.streamSecrets);
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  call.write({ node: { id }, typeUrl: TypeUrl.secret, resourceNames: ["default"] });
  return new Promise<string>((resolve, reject) => {
    call.on("error", reject);
    call.on("data", ({ resources: [any] }) => {
      const { type } = fromBinary(SecretSchema, any?.value ?? new Uint8Array());
      const chain = type.case === "tlsCertificate" ? type.value.certificateChain?.specifier.value : undefined;
      resolve(Buffer.from(chain as Uint8Array).toString());
    });
  }).finally(() => client.close());
}
