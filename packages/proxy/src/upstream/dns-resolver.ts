import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";

/** `auto` asks for IPv6 and falls back to IPv4, `all` takes both, as `dns_lookup_family`. */
export type DnsFamily = "v4" | "v6" | "auto" | "all";

export interface DnsAnswer {
  readonly addresses: readonly string[];
  /** Milliseconds that the answer may be used; null where nobody says. */
  readonly ttl: number | null;
}

/** Turns a host name into addresses. Rejects with the resolver's own error. `wantsTtl`: the answer's lifetime is asked for. */
export type DnsResolver = (hostname: string, family: DnsFamily, wantsTtl: boolean) => Promise<DnsAnswer>;

/** A name server that does not answer must not hold back what the system has found. */
const TTL_TIMEOUT = 1000;

/**
 * The system's resolver, so that /etc/hosts and the like mean what they mean to every other program. It does not tell
 * lifetimes: they are asked from the name servers, and count only for addresses that the system gave too.
 */
export const systemResolver: DnsResolver = async (hostname, family, wantsTtl) => {
  if (isIP(hostname) !== 0) return { addresses: [hostname], ttl: null };
  const wanted = family === "v4" ? 4 : family === "v6" ? 6 : 0;
  const found = await lookup(hostname, { all: true, family: wanted, verbatim: true });
  const v6 = found.filter((entry) => entry.family === 6);
  const used = family === "auto" && v6.length > 0 ? v6 : found;
  const addresses = used.map((entry) => entry.address);
  return { addresses, ttl: wantsTtl ? await shortestTtl(hostname, new Set(addresses)) : null };
};

async function shortestTtl(hostname: string, addresses: ReadonlySet<string>): Promise<number | null> {
  const resolver = new Resolver({ timeout: TTL_TIMEOUT, tries: 1 });
  const answers = await Promise.allSettled([
    resolver.resolve4(hostname, { ttl: true }),
    resolver.resolve6(hostname, { ttl: true }),
  ]);
  const records = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const ttls = records.filter((record) => addresses.has(record.address)).map((record) => record.ttl * 1000);
  return ttls.length === 0 ? null : Math.min(...ttls);
}
