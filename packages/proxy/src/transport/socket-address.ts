import { isIPv6 } from "node:net";
import type { SocketAddress } from "./transport.ts";

/** An IP address and port, printed as Envoy prints them. */
export function socketAddress(ip: string, port: number): SocketAddress {
  return { ip, port, text: isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}` };
}
