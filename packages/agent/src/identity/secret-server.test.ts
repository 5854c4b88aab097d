import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, status } from "@grpc/grpc-js";
import { VirtualClock } from "@mixerless/clock";
import { SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import { AggregatedDiscoveryService } from "@mixerless/wire/envoy/service/discovery/v3/ads";
import { SecretDiscoveryService } from "@mixerless/wire/envoy/service/secret/v3/sds";
import { grpcMethod, TypeUrl } from "@mixerless/xds";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SecretServer } from "./secret-server.ts";

const NODE = { id: "sidecar~10.0.0.1~reviews-v1.default~default.svc.cluster.local" };
const PAIR = { certificateChain: "a chain", privateKey: "a key" };

let folder: string;
let socket: string;
let server: SecretServer;
const clients: Client[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-sds-"));
  socket = join(folder, "sds", "reviews-v1");
  server = new SecretServer(socket, new VirtualClock());
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A stream of one method, as an Envoy opens it. */
function open(method: "streamSecrets" | "deltaSecrets") {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  clients.push(client);
  return new Stream(client, method);
}

class Stream {
  readonly #call: ClientDuplexStream<unknown, Response>;
  readonly #responses: AsyncIterator<Response>;

  constructor(client: Client, method: "streamSecrets" | "deltaSecrets") {
    const { path, requestSerialize, responseDeserialize } =
      method === "streamSecrets"
        ? grpcMethod(SecretDiscoveryService.method.streamSecrets)
        : grpcMethod(SecretDiscoveryService.method.deltaSecrets);
    this.#call = client.makeBidiStreamRequest(
      path,
      requestSerialize as (request: unknown) => Buffer,
      responseDeserialize as unknown as (bytes: Buffer) => Response,
    );
    this.#responses = this.#call[Symbol.asyncIterator]() as AsyncIterator<Response>;
  }

  async ask(request: object): Promise<Response> {
    this.#call.write({ typeUrl: TypeUrl.secret, ...request });
    return this.next();
  }

  /** Answers, without waiting for anything. */
  acknowledge({ nonce, versionInfo }: Response, resourceNames: string[]): void {
    this.#call.write({ typeUrl: TypeUrl.secret, resourceNames, responseNonce: nonce, versionInfo });
  }

  async next(): Promise<Response> {
    const { value } = await this.#responses.next();
    return value as Response;
  }
}

interface Response {
  readonly nonce: string;
  readonly versionInfo: string;
  /** State of the world: the resource; delta: with a name and a version around it. */
  readonly resources: readonly { readonly value?: Uint8Array; readonly resource?: { readonly value: Uint8Array } }[];
}

/** Name and PEM of each secret of a response. */
function secretsOf({ resources }: Response): object[] {
  return resources.map(({ value, resource }) => {
    const { name, type } = fromBinary(SecretSchema, value ?? resource?.value ?? new Uint8Array());
    const text = (source: { specifier: { value?: unknown } } | undefined) =>
      Buffer.from(source?.specifier.value as Uint8Array).toString();
    if (type.case === "tlsCertificate")
      return { name, certificateChain: text(type.value.certificateChain), privateKey: text(type.value.privateKey) };
    return { name, trustedCa: text((type.value as { trustedCa?: never } | undefined)?.trustedCa) };
  });
}

describe("the agent's secrets on a Unix socket", () => {
  it.each([
    ["streamSecrets", { resourceNames: ["default"] }],
    ["deltaSecrets", { resourceNamesSubscribe: ["default"] }],
  ] as const)("are served by %s, each to who asks for it, and pushed when they change", async (method, request) => {
    server.set("default", PAIR);
    server.set("ROOTCA", { trustedCa: "roots" });
    await server.start();
    const stream = open(method);
    const first = await stream.ask({ node: NODE, ...request });
    expect(secretsOf(first)).toEqual([{ name: "default", ...PAIR }]);
    stream.acknowledge(first, method === "streamSecrets" ? ["default"] : []);
    server.set("default", { ...PAIR, privateKey: "another key" });
    expect(secretsOf(await stream.next())).toEqual([{ name: "default", ...PAIR, privateKey: "another key" }]);
  });

  it("hold the roots as what a peer is judged by", async () => {
    server.set("ROOTCA", { trustedCa: "roots" });
    await server.start();
    const answer = await open("streamSecrets").ask({ node: NODE, resourceNames: ["ROOTCA"] });
    expect(secretsOf(answer)).toEqual([{ name: "ROOTCA", trustedCa: "roots" }]);
  });

  it("are all that the socket serves", async () => {
    await server.start();
    const client = new Client(`unix:${socket}`, credentials.createInsecure());
    clients.push(client);
    const { path, requestSerialize, responseDeserialize } = grpcMethod(
      AggregatedDiscoveryService.method.streamAggregatedResources,
    );
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const error = await new Promise((resolve) => call.on("error", resolve));
    expect(error).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it("are for the owner of the socket alone", async () => {
    await server.start();
    const modes = await Promise.all([dirname(socket), socket].map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o700, 0o600]);
  });

  it("are not served in a folder that others can enter", async () => {
    await mkdir(dirname(socket));
    await chmod(dirname(socket), 0o755);
    await expect(server.start()).rejects.toThrow(/is open to others.*0700/);
  });

  it("take the place of a socket that a killed process left behind, but not of anything else", async () => {
    await server.start();
    const next = new SecretServer(socket, new VirtualClock());
    next.set("default", PAIR);
    await next.start();
    const answer = await open("streamSecrets").ask({ node: NODE, resourceNames: ["default"] });
    expect(secretsOf(answer)).toEqual([{ name: "default", ...PAIR }]);
    await next.close();
    await writeFile(socket, "notes");
    const late = new SecretServer(socket, new VirtualClock());
    await expect(late.start()).rejects.toThrow("is in the way of the socket and is none");
    expect(await readFile(socket, "utf8")).toBe("notes");
    await rm(socket);
  });

  it("refuse a path that is too long for a socket, and say so", async () => {
    const long = new SecretServer(join(folder, "x".repeat(100)), new VirtualClock());
    await expect(long.start()).rejects.toThrow(/has \d+ bytes, more than the 103/);
  });
});
