import { age } from "./age.ts";
import { at, entriesAt, textAt } from "./json.ts";

/** Types in the order of the columns, with their last part of the type URL. */
const TYPES: readonly (readonly [string, string])[] = [
  ["CDS", "Cluster"],
  ["LDS", "Listener"],
  ["EDS", "ClusterLoadAssignment"],
  ["RDS", "RouteConfiguration"],
  ["ECDS", "TypedExtensionConfig"],
];

const STATES: Readonly<Record<string, string>> = {
  synced: "SYNCED",
  stale: "STALE",
  error: "ERROR",
  "not-sent": "NOT SENT",
};

export const STATUS_HEADER = ["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES"];
export const STATUS_HEADER_VERBOSE = [...STATUS_HEADER.slice(0, 4), ...TYPES.map(([name]) => name), "CERT EXPIRES"];

/** One row for each proxy of `/debug/syncz`, by name. */
export function statusRows(syncz: readonly unknown[], istiod: string): string[][] {
  return byName(syncz).map((proxy) => {
    const subscribed = TYPES.filter(([, type]) => stateOf(proxy, type) !== undefined).map(([name]) => name);
    const types = subscribed.length === 0 ? "0" : `${subscribed.length} (${subscribed.join(",")})`;
    return [...identity(proxy, istiod), types];
  });
}

/** One column for each type, with the time since it was acknowledged; then the life that is left to the certificate. */
export function verboseStatusRows(syncz: readonly unknown[], istiod: string, now: number): string[][] {
  return byName(syncz).map((proxy) => [
    ...identity(proxy, istiod),
    ...TYPES.map(([, type]) => {
      const resource = stateOf(proxy, type);
      if (resource === undefined) return "IGNORED";
      const time = Number(textAt(resource, "acked", "time"));
      const state = STATES[textAt(resource, "state")] ?? textAt(resource, "state");
      return time > 0 ? `${state} (${age(now - time)})` : state;
    }),
    left(Date.parse(textAt(proxy, "certificate_expires")), now),
  ]);
}

/** How each subscribed type of one proxy stands. */
export function syncStates(proxy: unknown): { type: string; state: string; error: string | null }[] {
  const errors = statusErrors([proxy]);
  return TYPES.flatMap(([short, type]) => {
    const resource = stateOf(proxy, type);
    if (resource === undefined) return [];
    const state = textAt(resource, "state");
    return [{ type: short, state, error: state === "error" ? errors.join("; ") : null }];
  });
}

/** What was refused and why, one line for each resource. */
export function statusErrors(syncz: readonly unknown[]): string[] {
  return byName(syncz).flatMap((proxy) =>
    TYPES.flatMap(([short, type]) => {
      const resource = stateOf(proxy, type);
      if (textAt(resource, "state") !== "error") return [];
      const refused = entriesAt(resource, "refused");
      const reasons: [string, unknown][] = refused.length > 0 ? refused : [["", at(resource, "lastError")]];
      return reasons.map(
        ([name, nack]) =>
          `${textAt(proxy, "proxy")} ${short}${name === "" ? "" : ` ${name}`}: ${textAt(nack, "message") || textAt(nack, "details") || JSON.stringify(nack)}`,
      );
    }),
  );
}

function byName(syncz: readonly unknown[]): unknown[] {
  return [...syncz].sort((a, b) => (textAt(a, "proxy") < textAt(b, "proxy") ? -1 : 1));
}

function identity(proxy: unknown, istiod: string): string[] {
  return [textAt(proxy, "proxy"), textAt(proxy, "cluster_id"), istiod, textAt(proxy, "istio_version")];
}

function stateOf(proxy: unknown, type: string): unknown {
  return entriesAt(proxy, "resources").find(([url]) => url.endsWith(`.${type}`))?.[1];
}

/** A renewal comes at half of a life: a certificate that has expired tells that something is wrong. */
function left(expires: number, now: number): string {
  if (Number.isNaN(expires)) return "-";
  return expires <= now ? "EXPIRED" : age(expires - now);
}
