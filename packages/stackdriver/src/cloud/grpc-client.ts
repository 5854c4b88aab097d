import { readFileSync } from "node:fs";
import { ChannelCredentials, Client, compressionAlgorithms, Metadata } from "@grpc/grpc-js";
import type { CallResult } from "./cloud-transport.ts";
import type { TransportOptions } from "./grpc-transport.ts";

const MOST_RECONNECT = 10_000;

/** Throws where the file of roots can't be read. */
export function createClient({ endpoint, rootsFile, compression }: TransportOptions): Client {
  const roots = endpoint.secure && rootsFile !== "" ? readFileSync(rootsFile) : null;
  const credentials = endpoint.secure ? ChannelCredentials.createSsl(roots) : ChannelCredentials.createInsecure();
  return new Client(endpoint.address, credentials, {
    // An endpoint that is back is found within seconds, not minutes.
    "grpc.max_reconnect_backoff_ms": MOST_RECONNECT,
    ...(compression ? { "grpc.default_compression_algorithm": compressionAlgorithms.gzip } : {}),
    ...(endpoint.secure ? {} : { "grpc.enable_http_proxy": 0 }),
  });
}

/** Throws on a token that no header can hold. `deadline`: milliseconds since the epoch. */
export function callUnary(
  client: Client,
  path: string,
  message: Uint8Array,
  token: string | null,
  deadline: number,
): Promise<CallResult> {
  const metadata = new Metadata();
  if (token !== null) metadata.set("authorization", `Bearer ${token}`);
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, toBuffer, ignore, message, metadata, { deadline }, (error) => {
      resolve(error === null ? { code: 0, message: "" } : { code: error.code, message: error.details });
    });
  });
}

function toBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
}

/** What the services answer beside the status says nothing; to grpc-js, null would be no answer. */
function ignore(): object {
  return NOTHING;
}

const NOTHING = {};
