import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "@mixerless/clock";
import { afterEach, describe, expect, it } from "vitest";
import { SERVER_METRICS } from "../metrics/definitions.ts";
import { Series } from "../metrics/series.ts";
import { encodeTimeSeries } from "../metrics/time-series.ts";
import { FakeCloudEndpoint, type FakeCloudOptions } from "../testing/fake-cloud-endpoint.ts";
import { LOOPBACK_CERTIFICATE } from "../testing/loopback-certificate.ts";
import type { CloudTransport } from "./cloud-transport.ts";
import { createGrpcTransport } from "./grpc-transport.ts";

const PATH = "/google.monitoring.v3.MetricService/CreateTimeSeries";
const LONG = 20_000;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: FakeCloudOptions = {}): Promise<FakeCloudEndpoint> {
  const endpoint = await FakeCloudEndpoint.start(options);
  closing.push(() => endpoint.close());
  return endpoint;
}

function transportTo(address: string, { secure = false, rootsFile = "", compression = false } = {}): CloudTransport {
  const transport = createGrpcTransport({ endpoint: { address, secure }, rootsFile, compression }, new SystemClock());
  closing.push(() => transport.close());
  return transport;
}

/** A message with one count. */
function message(end: number): Uint8Array {
  const labels = { project_id: "p", location: "l", cluster_name: "c", namespace_name: "n", pod_name: "p" };
  const series = new Series(
    { metric: SERVER_METRICS.requests, resource: { type: "k8s_pod", labels }, values: ["http"] },
    1,
    0,
    0,
  );
  series.add(7, 0);
  return encodeTimeSeries("p", [series], end);
}

async function rootsFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "roots-"));
  closing.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "roots.pem");
  await writeFile(file, LOOPBACK_CERTIFICATE.certificate);
  return file;
}

describe("calls of the cloud", () => {
  it("bring their messages, with the token on loopback, packed where that is asked for", async () => {
    const endpoint = await start();
    endpoint.cloud.accepts = (token) => token === "secret";
    const plain = transportTo(endpoint.address);
    expect(await plain.call(PATH, message(10), "secret", LONG)).toEqual({ code: 0, message: "" });
    expect(await plain.call(PATH, message(20), "other", LONG)).toMatchObject({ code: 16 });
    const packed = transportTo(endpoint.address, { compression: true });
    expect(await packed.call(PATH, message(30), "secret", LONG)).toEqual({ code: 0, message: "" });
    expect(endpoint.cloud.metric("server/request_count").map(({ count }) => count)).toEqual([7]);
  });

  it("go by TLS, and only to whom the roots prove", async () => {
    const endpoint = await start({ tls: LOOPBACK_CERTIFICATE });
    const proven = transportTo(endpoint.address, { secure: true, rootsFile: await rootsFile() });
    expect(await proven.call(PATH, message(10), "secret", LONG)).toEqual({ code: 0, message: "" });
    const stranger = transportTo(endpoint.address, { secure: true });
    expect(await stranger.call(PATH, message(20), "secret", 2000)).toMatchObject({ code: expect.any(Number) });
    expect(endpoint.cloud.calls).toEqual({ metrics: 1, logs: 0, refused: 0 });
    const unread = transportTo(endpoint.address, { secure: true, rootsFile: "/no/such/file" });
    expect(await unread.call(PATH, message(20), null, LONG)).toMatchObject({
      code: 14,
      message: expect.stringContaining("ENOENT"),
    });
  });

  it("end in time where nobody answers, and where nobody is", async () => {
    const endpoint = await start();
    endpoint.hold = true;
    const transport = transportTo(endpoint.address);
    expect(await transport.call(PATH, message(10), null, 200)).toMatchObject({ code: 4 });
    endpoint.close();
    expect((await transport.call(PATH, message(10), null, 2000)).code).toBeGreaterThan(0);
  });

  it("are refused with everything that the definition says against a message", async () => {
    const endpoint = await start();
    const transport = transportTo(endpoint.address);
    const unknown = Buffer.concat([message(10), Buffer.from([0xfa, 0x3f, 0x01, 0x61])]);
    expect(await transport.call(PATH, unknown, null, LONG)).toEqual({ code: 3, message: ": there is no field 1023" });
    expect(await transport.call(PATH, new Uint8Array(), null, LONG)).toEqual({
      ...{ code: 3, message: "name is required; time_series is required" },
    });
    expect((await transport.call(PATH, Buffer.from([0xff]), null, LONG)).message).toContain("no message");
    await transport.call(PATH, message(10), null, LONG);
    expect((await transport.call(PATH, message(10), null, LONG)).message).toContain("not after the point before");
  });
});
