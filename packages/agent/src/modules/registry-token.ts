import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { FetchFault } from "./fetch-fault.ts";
import { type GetOptions, httpGet, parseUrl } from "./http-get.ts";

const INSIDE = new BlockList();
for (const [net, bits] of [
  ...([
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
  ] as const),
  ...([
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
  ] as const),
])
  INSIDE.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [
  ["::", 127],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  INSIDE.addSubnet(net, bits, "ipv6");

const TOKEN_LIMIT = 64 * 1024;

/**
 * The token that a registry's challenge (`WWW-Authenticate: Bearer realm=…`) asks for. A realm on an address that only
 * this machine or its network has is refused, unless it is the registry's own host: who runs a registry must not make
 * an agent call what is inside.
 */
export async function fetchToken(
  challenge: string,
  registry: string,
  credentials: string | null,
  options: GetOptions,
): Promise<string> {
  const facts = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  const realm = parseUrl(facts.realm ?? "");
  if (realm === null || !/^https?:$/.test(realm.protocol))
    throw new FetchFault(`${registry} asks for a token but names no place to get it`, false);
  if (realm.hostname !== registry.replace(/:\d+$/, "") && (await isInside(realm.hostname)))
    throw new FetchFault(`${registry} sends for a token to ${realm.host}, an address inside this network`, false);
  for (const key of ["service", "scope"]) {
    const value = facts[key];
    if (value !== undefined) realm.searchParams.set(key, value);
  }
  const headers = credentials === null ? {} : { authorization: credentials };
  const answer = await httpGet(realm, { ...options, headers, limit: TOKEN_LIMIT });
  if (answer.status === 401 || answer.status === 403) throw deniedBy(registry, credentials !== null);
  if (answer.status !== 200)
    throw new FetchFault(`${realm.host} gives no token: status ${answer.status}`, answer.status >= 500);
  const { token, access_token: other } = parse(answer.body);
  const found = typeof token === "string" ? token : other;
  if (typeof found === "string" && found !== "") return found;
  throw new FetchFault(`${realm.host} gives no token`, false);
}

export function deniedBy(registry: string, withSecret: boolean): FetchFault {
  const cure = withSecret
    ? "the pull secret's user or password is wrong, or may not read this image; correct the Secret that imagePullSecret names"
    : "it wants a login; set imagePullSecret to a Secret of type kubernetes.io/dockerconfigjson for this registry";
  return new FetchFault(`${registry} refuses: ${cure}`, false);
}

async function isInside(host: string): Promise<boolean> {
  const bare = host.replace(/^\[|\]$/g, "");
  const addresses =
    isIP(bare) > 0 ? [bare] : (await lookup(bare, { all: true }).catch(() => [])).map((one) => one.address);
  return addresses.some((address) => INSIDE.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"));
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
