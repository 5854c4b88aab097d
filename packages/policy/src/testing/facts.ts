import type { PeerFacts, PolicyFacts } from "../facts.ts";

export interface GivenFacts {
  /** A list: so many lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly path?: string;
  readonly destinationIp?: string;
  readonly destinationPort?: number;
  readonly directRemoteIp?: string;
  readonly remoteIp?: string;
  readonly requestedServerName?: string;
  readonly peer?: Partial<PeerFacts> | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Facts of a request of which a test states some. */
export function factsOf(given: GivenFacts): PolicyFacts {
  const headers = given.headers ?? {};
  const metadata = given.metadata ?? {};
  return {
    headers: (name) => [headers[name] ?? []].flat(),
    path: given.path ?? "/",
    destinationIp: given.destinationIp ?? "10.0.0.2",
    destinationPort: given.destinationPort ?? 80,
    directRemoteIp: given.directRemoteIp ?? "10.0.0.1",
    remoteIp: given.remoteIp ?? given.directRemoteIp ?? "10.0.0.1",
    requestedServerName: given.requestedServerName ?? "",
    peer: given.peer == null ? null : { uriSans: [], dnsSans: [], subject: "", ...given.peer },
    metadata: (filter) => metadata[filter],
  };
}
