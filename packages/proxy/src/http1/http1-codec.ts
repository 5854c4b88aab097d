import type {
  ClientConnection,
  ClientConnectionCallbacks,
  ServerConnection,
  ServerConnectionCallbacks,
} from "../http/codec.ts";
import type { Transport } from "../transport/transport.ts";
import { Http1ClientConnection } from "./client-connection.ts";
import { type Http1HeadOptions, type Http1ServerOptions, responseLimits, serverLimits } from "./options.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";
import { Http1ServerConnection, type ServerShares } from "./server-connection.ts";

/** HTTP/1.1 towards clients. Make one for each set of options: what connections share is in it. */
export interface Http1ServerCodec {
  /** Takes over a downstream transport. */
  serve(transport: Transport, callbacks: ServerConnectionCallbacks): ServerConnection;
}

/** HTTP/1.1 towards upstreams. */
export interface Http1ClientCodec {
  /** Takes over a connected transport. */
  connect(transport: Transport, callbacks: ClientConnectionCallbacks): ClientConnection;
}

export function createHttp1ServerCodec(options: Http1ServerOptions): Http1ServerCodec {
  const limits = serverLimits(options);
  const { clock, wheel } = options;
  const shares: ServerShares = { limits, head: new RequestHead(limits), clock, wheel };
  return { serve: (transport, callbacks) => new Http1ServerConnection(transport, callbacks, shares) };
}

export function createHttp1ClientCodec(options: Http1HeadOptions = {}): Http1ClientCodec {
  const limits = responseLimits(options);
  const shares = { head: new ResponseHead(limits), maxHeadBytes: limits.maxHeadBytes };
  return { connect: (transport, callbacks) => new Http1ClientConnection(transport, callbacks, shares) };
}
