import { isIP } from "node:net";
import type { SocketAddress } from "../../transport/transport.ts";

/** A network in CIDR form, IPv4 or IPv6. */
export interface Network {
  readonly address: bigint;
  readonly bits: number;
  readonly version: 4 | 6;
}

export function parseNetwork(address: string, prefixLength: number): Network | null {
  const value = ipValue(address);
  if (value === null || prefixLength < 0 || prefixLength > value.width) return null;
  return { address: value.number, bits: prefixLength, version: value.width === 32 ? 4 : 6 };
}

export function contains(network: Network, ip: string): boolean {
  const value = ipValue(ip);
  if (value === null || value.width !== (network.version === 4 ? 32 : 128)) return false;
  const shift = BigInt(value.width - network.bits);
  return value.number >> shift === network.address >> shift;
}

/**
 * The address that the `hops`-th trusted proxy from the right put into `x-forwarded-for`: 0 is the last one.
 * Null where there is none, or where it is no IP address. `single`: the header names one address only.
 */
export function forwardedAddress(header: string, hops: number): { address: SocketAddress; single: boolean } | null {
  const parts = header.split(",");
  const text = parts[parts.length - 1 - hops]?.trim() ?? "";
  const address = parseAddress(text);
  return address === null ? null : { address, single: parts.length === 1 };
}

function parseAddress(text: string): SocketAddress | null {
  const plain = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const family = isIP(plain);
  if (family === 0) return null;
  return { ip: plain, port: 0, text: family === 6 ? `[${plain}]:0` : `${plain}:0` };
}

function ipValue(ip: string): { number: bigint; width: 32 | 128 } | null {
  const family = isIP(ip);
  if (family === 4) {
    let number = 0n;
    for (const part of ip.split(".")) number = (number << 8n) | BigInt(part);
    return { number, width: 32 };
  }
  return family === 6 ? { number: ipv6Number(ip), width: 128 } : null;
}

function ipv6Number(ip: string): bigint {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  let text = ip;
  if (dotted !== null) {
    const [, head, a, b, c, d] = dotted;
    text = `${head}${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  }
  const [left = "", right] = text.split("::");
  const heads = left === "" ? [] : left.split(":");
  const tails = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : 8 - heads.length - tails.length;
  let number = 0n;
  for (const part of [...heads, ...Array<string>(zeros).fill("0"), ...tails])
    number = (number << 16n) | BigInt(`0x${part}`);
  return number;
}
