import { lookup } from "node:dns/promises";

/** `auto` asks for IPv6 and falls back to IPv4, `all` takes both, as `dns_lookup_family`. */
export type DnsFamily = "v4" | "v6" | "auto" | "all";

/** Turns a host name into addresses. Rejects with the resolver's own error. */
export type DnsResolver = (hostname: string, family: DnsFamily) => Promise<readonly string[]>;

/** The system's resolver, so that /etc/hosts and the like mean what they mean to every other program. */
export const systemResolver: DnsResolver = async (hostname, family) => {
  const wanted = family === "v4" ? 4 : family === "v6" ? 6 : 0;
  const found = await lookup(hostname, { all: true, family: wanted, verbatim: true });
  if (family !== "auto") return found.map((entry) => entry.address);
  const v6 = found.filter((entry) => entry.family === 6);
  return (v6.length > 0 ? v6 : found).map((entry) => entry.address);
};
