import { isIP } from "node:net";
import type { SocketAddress } from "./transport.ts";

/** An address as Envoy prints it. IPv4 addresses that a dual-stack socket shows in mapped form lose the prefix. */
export function socketAddress(ip: string, port: number): SocketAddress {
  const plain = ip.startsWith("::ffff:") && ip.includes(".") ? ip.slice(7) : ip;
  return { ip: plain, port, text: plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}` };
}

/** The address of a Unix domain socket: its path, port 0. The connecting side usually has none: "". */
export function pipeAddress(path: string): SocketAddress {
  return { ip: path, port: 0, text: path };
}

export function isPipe({ ip, port }: SocketAddress): boolean {
  return port === 0 && ip !== "" && isIP(ip) === 0;
}
