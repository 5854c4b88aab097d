import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { FilterChain } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { FilterChainMatch } from "../config/kinds/policies.ts";
import { type Miss, missed, type Patch } from "./patch.ts";

/** Listeners that take captured traffic of every port; their chains tell the ports apart. */
const VIRTUAL: ReadonlySet<string> = new Set(["virtualInbound", "virtualOutbound"]);

/** Null when the listener is one that the patch means, as far as the listener itself tells [control-plane §1.5]. */
export function missOfListener({ match, applyTo }: Patch, listener: Listener): Miss | null {
  const wanted = match.listener;
  if (wanted === undefined) return null;
  const { name = "", portNumber = 0 } = wanted;
  if (name !== "" && name !== listener.name) return missed(0, () => `listener ${listener.name} is not named ${name}`);
  if (portNumber === 0 || (VIRTUAL.has(listener.name) && applyTo !== "LISTENER")) return null;
  const port = portOf(listener);
  return port === portNumber
    ? null
    : missed(1, () => `listener ${listener.name} has port ${port || "none"}, not ${portNumber}`);
}

export function portOf({ address }: Listener): number {
  const { address: chosen } = address ?? {};
  if (chosen?.case !== "socketAddress") return 0;
  const { portSpecifier } = chosen.value;
  return portSpecifier.case === "portValue" ? portSpecifier.value : 0;
}

/** Null when the chain is one that the patch means. The listener must have been matched before. */
export function missOfChain({ match }: Patch, listener: Listener, chain: FilterChain): Miss | null {
  const { portNumber = 0, filterChain } = match.listener ?? {};
  const { filterChainMatch } = chain;
  if (portNumber !== 0 && VIRTUAL.has(listener.name) && filterChainMatch?.destinationPort !== portNumber)
    return missed(2, () => `no filter chain of listener ${listener.name} has the destination port ${portNumber}`);
  if (filterChain === undefined) return null;
  const unmet = unmetCondition(filterChain, chain);
  return unmet === null ? null : missed(3, () => `a filter chain of listener ${listener.name} ${unmet}`);
}

function unmetCondition(wanted: FilterChainMatch, { name, filterChainMatch }: FilterChain): string | null {
  const { serverNames = [], transportProtocol = "", applicationProtocols = [] } = filterChainMatch ?? {};
  if (wanted.name !== "" && wanted.name !== name) return `is named ${name || "nothing"}, not ${wanted.name}`;
  if (wanted.sni !== "" && !serverNames.includes(wanted.sni))
    return `is for the server names ${serverNames.join(", ") || "of all"}, not for ${wanted.sni}`;
  if (wanted.transportProtocol !== "" && wanted.transportProtocol !== transportProtocol)
    return `is for the transport ${transportProtocol || "of all"}, not for ${wanted.transportProtocol}`;
  if (wanted.applicationProtocols !== "") {
    const missing = wanted.applicationProtocols.split(",").find((name) => !applicationProtocols.includes(name));
    if (missing !== undefined)
      return `is for the application protocols ${applicationProtocols.join(",") || "of all"}, without ${missing}`;
  }
  const { destinationPort: port = 0 } = wanted;
  if (port > 0 && filterChainMatch?.destinationPort !== port) return `is not for the destination port ${port}`;
  return null;
}

/** The name of the network filter that the patch means; empty for any. */
export function wantedFilter({ match }: Patch): string {
  return match.listener?.filterChain?.filter?.name ?? "";
}

/** The name of the HTTP filter that the patch means; empty for any. */
export function wantedSubFilter({ match }: Patch): string {
  return match.listener?.filterChain?.filter?.subFilter?.name ?? "";
}
