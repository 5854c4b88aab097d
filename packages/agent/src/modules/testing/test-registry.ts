import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { sha256 } from "../fetch-image.ts";

interface Stored {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | string;
}

const end = (status: number, headers: Record<string, string> = {}, body: Buffer | string = ""): Answer => {
  return { status, headers, body };
};

const OCI = "application/vnd.oci.image.manifest.v1+json";
const WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm";
const TAR_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/**
 * A registry on loopback: pulls by the OCI distribution specification, anonymous or by token. Images are put in by hand.
 */
export class TestRegistry {
  readonly #server: Server;
  readonly #manifests = new Map<string, Stored>();
  readonly #blobs = new Map<string, Buffer>();
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** `user:password` that gets a token; null: everybody may pull without one. */
  login: string | null = null;
  /** Tokens for everybody, but none without asking. */
  anonymousTokens = false;
  /** Status of every answer instead of the usual; null: the usual. */
  broken: number | null = null;
  /** Never answers. */
  silent = false;
  realm = "";

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
  }

  static async start(): Promise<TestRegistry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TestRegistry(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** An artefact whose layer is the module. Gives the digest of its manifest. */
  artefact(repository: string, tag: string, module: Buffer, mediaType = WASM_LAYER): string {
    return this.#image(repository, tag, [{ bytes: module, type: mediaType }]);
  }

  /** A container image whose last layer has files. */
  container(repository: string, tag: string, files: Readonly<Record<string, Buffer>>): string {
    return this.#image(repository, tag, [
      { bytes: gzipSync(tarOf({ "etc/base": Buffer.from("x") })), type: TAR_LAYER },
      { bytes: gzipSync(tarOf(files)), type: TAR_LAYER },
    ]);
  }

  /** A list of manifests with one in it. */
  index(repository: string, tag: string, manifest: string): string {
    const manifests = [{ mediaType: OCI, digest: manifest, size: 1, platform: { os: "wasi", architecture: "wasm" } }];
    return this.#put(repository, tag, "application/vnd.oci.image.index.v1+json", { schemaVersion: 2, manifests });
  }

  /** The layers and manifests answer with other bytes than their digests say. */
  corrupt(): void {
    for (const digest of [...this.#blobs.keys()]) this.#blobs.set(digest, Buffer.from("other"));
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #image(repository: string, tag: string, layers: readonly Stored[]): string {
    const described = layers.map(({ bytes, type }) => {
      const digest = `sha256:${sha256(bytes)}`;
      this.#blobs.set(digest, bytes);
      return { mediaType: type, digest, size: bytes.length };
    });
    return this.#put(repository, tag, OCI, { schemaVersion: 2, mediaType: OCI, layers: described });
  }

  #put(repository: string, tag: string, type: string, manifest: object): string {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = `sha256:${sha256(bytes)}`;
    for (const name of [tag, digest]) this.#manifests.set(`${repository}/manifests/${name}`, { type, bytes });
    return digest;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const answer = this.#answerTo(request);
    if (answer !== null) response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** Null: never. */
  #answerTo(request: IncomingMessage): Answer | null {
    const url = new URL(request.url ?? "/", `http://${this.host}`);
    this.asked.push(url.pathname);
    if (this.silent) return null;
    if (this.broken !== null) return end(this.broken);
    const basic = `Basic ${Buffer.from(this.login ?? "").toString("base64")}`;
    if (url.pathname === "/token") {
      if (this.login !== null && request.headers.authorization !== basic) return end(401);
      return end(200, {}, JSON.stringify({ token: `for ${url.searchParams.get("scope")}` }));
    }
    const path = url.pathname.slice("/v2/".length);
    const scope = `repository:${path.replace(/\/(manifests|blobs)\/.*/, "")}:pull`;
    const locked = this.login !== null || this.anonymousTokens;
    if (locked && request.headers.authorization !== `Bearer for ${scope}`) {
      const realm = this.realm === "" ? `http://${this.host}/token` : this.realm;
      return end(401, { "www-authenticate": `Bearer realm="${realm}",service="test",scope="${scope}"` });
    }
    const manifest = this.#manifests.get(path);
    if (manifest !== undefined) return end(200, { "content-type": manifest.type }, manifest.bytes);
    const blob = this.#blobs.get(path.replace(/.*\/blobs\//, ""));
    return blob === undefined ? end(404) : end(200, {}, blob);
  }
}

export function tarOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(content.length.toString(8).padStart(11, "0"), 124);
    header.write("0", 156);
    header.write("ustar\0", 257);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
