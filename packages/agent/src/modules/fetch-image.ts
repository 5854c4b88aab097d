import { createHash } from "node:crypto";
import type { Clock } from "@mixerless/clock";
import { FetchFault } from "./fetch-fault.ts";
import { type HttpAnswer, httpGet } from "./http-get.ts";
import type { ImageReference } from "./image-reference.ts";
import { basicCredentials } from "./pull-secret.ts";
import { deniedBy, fetchToken } from "./registry-token.ts";
import { unpackModule } from "./unpack-module.ts";

export interface ImageOptions {
  readonly clock: Clock;
  /** Milliseconds for each exchange. */
  readonly timeout: number;
  /** Most bytes of a module. */
  readonly limit: number;
  /** Spoken to in clear where it has no TLS, and whatever its certificate. */
  readonly insecure: boolean;
  readonly pullSecret: string;
}

export interface FetchedModule {
  /** SHA-256 in hexadecimal digits: of the image's manifest, or of the file as it was served. */
  readonly checksum: string;
  readonly bytes: Buffer;
}

const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFESTS = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const ACCEPT = [...MANIFESTS, ...INDEXES].join(", ");
/** Layers that are the module itself. */
const RAW = [
  "application/vnd.module.wasm.content.layer.v1+wasm",
  "application/vnd.wasm.content.layer.v1+wasm",
  "application/wasm",
];
const MANIFEST_LIMIT = 4 * 1024 * 1024;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Gets the module of an image by the registry's API, version 2. Rejects with a {@link FetchFault}. */
export async function fetchImage(image: ImageReference, options: ImageOptions): Promise<FetchedModule> {
  const registry = new Registry(image, options);
  const { checksum, layers } = await registry.manifest(image.digest === "" ? image.tag : image.digest, true);
  const raw = layers.find(({ mediaType }) => RAW.includes(mediaType));
  // The file of an image is in its last layer: those before are what it was built from.
  const layer = raw ?? layers.at(-1);
  const name = `the image ${image.registry}/${image.repository}`;
  if (layer === undefined) throw new FetchFault(`${name} holds no Wasm module: it has no layer`, false);
  if (layer.size > options.limit)
    throw new FetchFault(
      `${name} has ${layer.size} bytes, ${options.limit} are allowed (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)`,
      false,
    );
  const blob = await registry.blob(layer.digest);
  return { checksum, bytes: await unpackModule(blob, options.limit, name) };
}

class Registry {
  readonly #image: ImageReference;
  readonly #options: ImageOptions;
  #authorization: string | null = null;
  #scheme: "https" | "http" = "https";

  constructor(image: ImageReference, options: ImageOptions) {
    this.#image = image;
    this.#options = options;
  }

  async manifest(reference: string, mayBeIndex: boolean): Promise<{ checksum: string; layers: readonly Descriptor[] }> {
    const { registry, repository } = this.#image;
    const { body } = await this.#get(`manifests/${reference}`, MANIFEST_LIMIT, ACCEPT);
    const checksum = sha256(body);
    if (reference.startsWith("sha256:") && reference !== `sha256:${checksum}`)
      throw new FetchFault(
        `${registry} answers ${reference} with a manifest whose digest is sha256:${checksum}`,
        false,
      );
    const { layers, manifests } = parseManifest(body, registry);
    if (layers !== null) return { checksum, layers };
    const chosen = manifests?.find(({ platform }) => platform === "wasm") ?? manifests?.[0];
    if (chosen === undefined || !mayBeIndex)
      throw new FetchFault(`the image ${registry}/${repository} has no manifest with layers`, false);
    // The digest that counts is that of what was asked for.
    return { checksum, layers: (await this.manifest(chosen.digest, false)).layers };
  }

  async blob(digest: string): Promise<Buffer> {
    const { body } = await this.#get(`blobs/${digest}`, this.#options.limit, "*/*");
    if (`sha256:${sha256(body)}` === digest) return body;
    throw new FetchFault(`${this.#image.registry} sends a layer that is not ${digest}`, true);
  }

  async #get(path: string, limit: number, accept: string): Promise<HttpAnswer> {
    const { registry, repository } = this.#image;
    let answer = await this.#send(path, limit, accept);
    if (answer.status === 401) {
      await this.#logIn(answer.headers["www-authenticate"] ?? "");
      answer = await this.#send(path, limit, accept);
    }
    const { status } = answer;
    if (status === 200) return answer;
    if (status === 401 || status === 403) throw deniedBy(registry, this.#credentials !== null);
    if (status === 404)
      throw new FetchFault(`${registry} has no image ${repository} with ${path.replace("/", " ")}`, false);
    throw new FetchFault(`${registry} answers ${status}`, status >= 500 || status === 429);
  }

  get #credentials(): string | null {
    return basicCredentials(this.#options.pullSecret, this.#image.registry);
  }

  async #logIn(challenge: string): Promise<void> {
    const credentials = this.#credentials;
    const { registry } = this.#image;
    if (/^bearer/i.test(challenge)) {
      const { clock, timeout, insecure } = this.#options;
      const token = await fetchToken(challenge, registry, credentials, {
        clock,
        timeout,
        limit: 0,
        unverified: insecure,
      });
      this.#authorization = `Bearer ${token}`;
      return;
    }
    if (credentials === null) throw deniedBy(registry, false);
    this.#authorization = credentials;
  }

  async #send(path: string, limit: number, accept: string): Promise<HttpAnswer> {
    const { registry, repository } = this.#image;
    const { clock, timeout, insecure } = this.#options;
    const authorization = this.#authorization;
    const headers = { accept, ...(authorization === null ? {} : { authorization }) };
    const send = () => {
      const url = new URL(`${this.#scheme}://${registry}/v2/${repository}/${path}`);
      return httpGet(url, { clock, timeout, limit, headers, unverified: insecure });
    };
    try {
      return await send();
    } catch (error) {
      if (!insecure || this.#scheme === "http" || !(error instanceof FetchFault) || !error.transient) throw error;
      this.#scheme = "http";
      return send();
    }
  }
}

function parseManifest(body: Buffer, registry: string) {
  try {
    const { layers, manifests } = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
    return { layers: descriptors(layers), manifests: descriptors(manifests) };
  } catch {
    throw new FetchFault(`${registry} sends a manifest that is not JSON`, false);
  }
}

function descriptors(list: unknown): (Descriptor & { platform: string })[] | null {
  if (!Array.isArray(list)) return null;
  return list.flatMap((entry: unknown) => {
    const { mediaType, digest, size, platform } = entry as Record<string, unknown>;
    if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) return [];
    const architecture = (platform as { architecture?: unknown } | undefined)?.architecture;
    return { mediaType: String(mediaType), digest, size: Number(size), platform: String(architecture) };
  });
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
