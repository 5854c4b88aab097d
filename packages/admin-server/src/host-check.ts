import { isIP } from "node:net";

/**
 * Any web page can make a browser send requests to 127.0.0.1, under a name of its own (DNS rebinding).
 * So the Host must be a loopback name, or the very address that was connected to [decision 11].
 */
export function isAllowedHost(host: string | undefined, localAddress: string): boolean {
  if (host === undefined) return true;
  const name = stripPort(host).toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "[::1]") return true;
  if (isIP(name) === 4 && name.startsWith("127.")) return true;
  const bare = name.startsWith("[") ? name.slice(1, -1) : name;
  return isIP(bare) !== 0 && bare === localAddress.replace(/^::ffff:/, "");
}

function stripPort(host: string): string {
  const match = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host);
  return match?.[1] ?? host;
}

/** Of the peer of a connection, as `Socket.remoteAddress` has it. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/^::ffff:/, "");
  return bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}
