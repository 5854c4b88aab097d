import { chmod, lstat, mkdir, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Clock } from "@mixerless/clock";
import type { SecretStore } from "@mixerless/proxy";
import { SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import { createXdsServer, MapSource, TypeUrl, type XdsServer } from "@mixerless/xds";

type SecretValue = Parameters<SecretStore["set"]>[1];

/** The shortest limit of a socket's path among the systems that have such sockets. */
const MAX_PATH_BYTES = 103;
const FOLDER_MODE = 0o700;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
/** An Envoy opens a stream for each secret that it needs. */
const MAX_STREAMS = 1000;

/**
 * Envoy's secret discovery on a Unix socket: who can open the socket gets the keys, so nobody but its owner can.
 * `set` may be called at any time; what changes is pushed.
 */
export class SecretServer implements Pick<SecretStore, "set"> {
  readonly #socket: string;
  readonly #source = new MapSource();
  readonly #server: XdsServer;

  constructor(socket: string, clock: Clock) {
    this.#socket = socket;
    this.#server = createXdsServer({
      ...{ source: this.#source, clock, service: "secrets", maxStreams: MAX_STREAMS },
      address: `unix:${socket}`,
    });
  }

  /** Makes the socket, and its folder if it is not there. Rejects with what is in the way. */
  async start(): Promise<void> {
    const bytes = Buffer.byteLength(this.#socket);
    if (bytes > MAX_PATH_BYTES)
      throw new Error(
        `The path of the socket ${this.#socket} has ${bytes} bytes, more than the ${MAX_PATH_BYTES} that a system takes. Use a shorter one; TMPDIR decides where the demo's files are.`,
      );
    await ownFolder(dirname(this.#socket));
    await removeOld(this.#socket);
    await this.#server.start();
    await chmod(this.#socket, OWNER_ONLY);
  }

  set(name: string, value: SecretValue): void {
    const bytes = toBinary(SecretSchema, secret(name, value));
    this.#source.set(name, create(AnySchema, { typeUrl: TypeUrl.secret, value: bytes }));
    this.#server.push(this.#source.takeChanges());
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const { mode } = await stat(folder);
  if ((mode & OTHERS) !== 0)
    throw new Error(`${folder} is open to others, who could ask for keys there. Give it the mode 0700.`);
}

/** A process that was killed leaves its socket behind. */
async function removeOld(socket: string): Promise<void> {
  const old = await lstat(socket).catch(() => null);
  if (old === null) return;
  if (!old.isSocket()) throw new Error(`${socket} is in the way of the socket and is none. Remove it.`);
  await rm(socket);
}

function secret(name: string, value: SecretValue) {
  if ("privateKey" in value) {
    const { certificateChain, privateKey } = value;
    const pair = { certificateChain: inline(certificateChain), privateKey: inline(privateKey) };
    return create(SecretSchema, { name, type: { case: "tlsCertificate", value: pair } });
  }
  return create(SecretSchema, {
    name,
    type: { case: "validationContext", value: { trustedCa: inline(value.trustedCa) } },
  });
}

function inline(text: string) {
  return { specifier: { case: "inlineBytes" as const, value: new Uint8Array(Buffer.from(text)) } };
}
