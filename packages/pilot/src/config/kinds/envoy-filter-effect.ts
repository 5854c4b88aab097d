// What upstream accepts of a patch and never applies: said, because the author believes that it works.
import type { Cursor } from "../schema/cursor.ts";
import { canonicalName } from "./filter-names.ts";
import type { ApplyTo, EnvoyFilterPatch, PatchOperation } from "./policies.ts";

/** Operations without effect, by what they are to apply to [control-plane §1.6]. */
const WITHOUT_EFFECT: Partial<Record<ApplyTo, readonly PatchOperation[]>> = {
  LISTENER: ["REPLACE"],
  FILTER_CHAIN: ["REPLACE"],
  ROUTE_CONFIGURATION: ["ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE"],
  HTTP_ROUTE: ["REPLACE"],
  CLUSTER: ["REPLACE"],
  EXTENSION_CONFIG: ["REMOVE", "MERGE", "REPLACE"],
};

/** Warns of a patch that can never do anything. */
export function checkEffect({ applyTo, match, patch }: EnvoyFilterPatch, at: Cursor): void {
  const { operation } = patch;
  const here = at.at("patch").at("operation");
  if (applyTo === "BOOTSTRAP")
    at.at("applyTo").warn(
      "patch-without-effect",
      "The bootstrap of a proxy is made where the proxy starts; no EnvoyFilter reaches it.",
      "Remove the patch.",
    );
  else if (WITHOUT_EFFECT[applyTo]?.includes(operation))
    here.warn(
      "patch-without-effect",
      `${operation} has no effect with applyTo ${applyTo}.`,
      "Use MERGE, or another applyTo.",
    );
  const filter = match.listener?.filterChain?.filter;
  const [named, what] = NAMED[applyTo]?.(match.listener?.listenerFilter, filter?.name, filter?.subFilter?.name) ?? [
    true,
  ];
  const needs =
    operation === "REMOVE" || operation === "REPLACE" || (operation === "MERGE" && applyTo === "LISTENER_FILTER");
  if (needs && !named)
    here.warn(
      "patch-without-effect",
      `${operation} needs a match that says which filter it means.`,
      `Add ${what} to the match.`,
    );
}

type Naming = (listenerFilter?: string, filter?: string, subFilter?: string) => readonly [boolean, string];

const NAMED: Partial<Record<ApplyTo, Naming>> = {
  LISTENER_FILTER: (name = "") => [name !== "", "listener.listenerFilter"],
  NETWORK_FILTER: (_, name = "") => [name !== "", "listener.filterChain.filter.name"],
  HTTP_FILTER: (_, __, name = "") => [name !== "", "listener.filterChain.filter.subFilter.name"],
};

/** Warns of a filter name that Envoy gave up; it matches all the same. */
export function checkFilterName(name: string, at: Cursor): void {
  const now = canonicalName(name);
  if (now === name) return;
  at.at("name").warn("deprecated-filter-name", `The filter name ${name} is deprecated.`, `Write ${now}.`);
}
