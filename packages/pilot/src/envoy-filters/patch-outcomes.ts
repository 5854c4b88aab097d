import type { ConfigObject } from "../config/config-object.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import { envoyFiltersOf, missOfProxy } from "./applicable-patches.ts";
import type { Miss, Patch, PatchLog } from "./patch.ts";

/** What became of one patch among the proxies that were looked at. */
export interface PatchOutcome {
  readonly config: ConfigObject<"EnvoyFilter">;
  readonly index: number;
  /** Proxies whose configuration it may change. */
  readonly proxies: number;
  /** Names of what it changed, a few of them. */
  readonly changed: readonly string[];
  /** What it nearly matched; why it applies to no proxy; empty when it changed something. */
  readonly nearest: string;
  /** Why it matched and could not be applied. */
  readonly problems: readonly string[];
}

const SHOWN = 20;

/** Collects what becomes of patches. */
class Outcomes implements PatchLog {
  readonly #byPatch = new Map<string, { changed: Set<string>; problems: Set<string>; miss: Miss | null }>();

  of(config: ConfigObject, index: number) {
    const key = `${config.namespace}/${config.name} ${index}`;
    let known = this.#byPatch.get(key);
    if (known === undefined) {
      known = { changed: new Set(), problems: new Set(), miss: null };
      this.#byPatch.set(key, known);
    }
    return known;
  }

  hit({ config, index }: Patch, element: string): void {
    const { changed } = this.of(config, index);
    if (changed.size < SHOWN) changed.add(element);
  }

  miss({ config, index }: Patch, miss: Miss): void {
    const known = this.of(config, index);
    if (known.changed.size === 0 && (known.miss === null || miss.depth > known.miss.depth)) known.miss = miss;
  }

  problem({ config, index }: Patch, message: string): void {
    const { problems } = this.of(config, index);
    if (problems.size < SHOWN) problems.add(message);
  }
}

/** Makes everything for each of the proxies, with an ear for what becomes of patches. */
export function patchOutcomes(
  push: PushContext,
  proxies: readonly ProxyNode[],
  generateAll: (proxy: ProxyNode, log: PatchLog) => void,
): PatchOutcome[] {
  const configs = push.configs("EnvoyFilter");
  if (configs.length === 0) return [];
  const outcomes = new Outcomes();
  const selected = new Map(proxies.map((proxy) => [proxy, new Set(envoyFiltersOf(push, proxy))]));
  for (const [proxy, filters] of selected) if (filters.size > 0) generateAll(proxy, outcomes);
  return configs.flatMap((config) => {
    const mine = proxies.filter((proxy) => selected.get(proxy)?.has(config));
    return config.spec.configPatches.map(({ match }, index): PatchOutcome => {
      const { changed, problems, miss } = outcomes.of(config, index);
      const matching = mine.filter((proxy) => missOfProxy(match, proxy) === null && hasContext(match.context, proxy));
      const nearest = changed.size > 0 ? "" : (miss?.text() ?? reasonOf(match, mine));
      return { config, index, proxies: matching.length, changed: [...changed], nearest, problems: [...problems] };
    });
  });
}

function hasContext(context: string, { type }: ProxyNode): boolean {
  if (context === "ANY") return true;
  return (type === "router") === (context === "GATEWAY") && context !== "WAYPOINT";
}

function reasonOf(match: Patch["match"], selected: readonly ProxyNode[]): string {
  const [first] = selected;
  if (first === undefined) return "no proxy that was looked at is selected";
  const other = missOfProxy(match, first);
  if (other !== null) return `the nearest proxy is ${first.podKey}: ${other}`;
  return `no selected proxy has anything of the context ${match.context} that it could change`;
}
