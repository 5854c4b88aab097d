import type { Protocol } from "../model/protocol.ts";

/** Protocols that get an HTTP connection manager. */
export function isHttp(protocol: Protocol): boolean {
  return (
    protocol === "HTTP" ||
    protocol === "HTTP2" ||
    protocol === "GRPC" ||
    protocol === "GRPC-Web" ||
    protocol === "HTTP_PROXY"
  );
}

/** Without capture nothing is sniffed: a port of unknown protocol is taken for HTTP if its client says so. */
export function isTcp(protocol: Protocol): boolean {
  return !isHttp(protocol) && protocol !== "UDP";
}
