import { RE2JS } from "re2js";
import { byAge, type ConfigObject } from "../config/config-object.ts";
import type { ApplyTo, EnvoyFilterMatch } from "../config/kinds/policies.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import type { ApplicablePatches, GenerationContext, Patch } from "./patch.ts";

/** The patches for all proxies for which they are the same; remembers what it made of what. */
export class PatchSet implements ApplicablePatches {
  readonly all: readonly Patch[];
  readonly #lists = new Map<string, readonly Patch[]>();
  readonly #made = new WeakMap<object, object>();

  constructor(patches: readonly Patch[]) {
    this.all = patches;
  }

  of(applyTo: ApplyTo, context: GenerationContext): readonly Patch[] {
    const key = `${applyTo} ${context}`;
    let list = this.#lists.get(key);
    if (list === undefined) {
      list = this.all.filter(
        ({ applyTo: to, match }) => to === applyTo && (match.context === "ANY" || match.context === context),
      );
      this.#lists.set(key, list);
    }
    return list;
  }

  /** Made once for each `source`, which is shared by many proxies. */
  once<T extends object>(source: object, make: () => T): T {
    const known = this.#made.get(source);
    if (known !== undefined) return known as T;
    const made = make();
    this.#made.set(source, made);
    return made;
  }
}

/** What EnvoyFilters say to a proxy; null when they say nothing. */
export function applicablePatches(input: GeneratorInput): PatchSet | null {
  const { proxy, push, memo } = input;
  if (push.configs("EnvoyFilter").length === 0) return null;
  if (memo === undefined) return setOf(patchesOf(push, proxy));
  // Proxies with the same patches share one set, and so what is made by it.
  return memo.get(`patches of ${memo.identity(proxy)}`, () => {
    const patches = patchesOf(push, proxy);
    const key = patches.map(({ config, index }) => `${memo.identity(config)}:${index}`).join(" ");
    return memo.get(`patches ${key}`, () => setOf(patches));
  });
}

function setOf(patches: readonly Patch[]): PatchSet | null {
  return patches.length === 0 ? null : new PatchSet(patches);
}

function patchesOf(push: PushContext, proxy: ProxyNode): Patch[] {
  return envoyFiltersOf(push, proxy)
    .flatMap(patchesIn)
    .filter(({ match }) => match.context !== "WAYPOINT" && missOfProxy(match, proxy) === null);
}

/** The EnvoyFilters that select a proxy, in the order of their application [control-plane §1.2, §1.3]. */
export function envoyFiltersOf(push: PushContext, proxy: ProxyNode): ConfigObject<"EnvoyFilter">[] {
  const root = push.mesh.rootNamespace;
  const rank = ({ namespace }: ConfigObject) => (namespace === root ? 0 : 1);
  return push
    .attached("EnvoyFilter", proxy)
    .filter(({ spec }) => proxy.type !== "waypoint" || spec.targetRefs.length > 0)
    .sort((a, b) => a.spec.priority - b.spec.priority || rank(a) - rank(b) || byAge(a, b));
}

/** The entries of an EnvoyFilter as patches. */
export function patchesIn(config: ConfigObject<"EnvoyFilter">): Patch[] {
  return config.spec.configPatches.map(({ applyTo, match, patch, message }, index) => ({
    config,
    index,
    applyTo,
    match,
    operation: patch.operation,
    ...(message === undefined ? {} : { value: message }),
  }));
}

/** Null when the patch is for proxies like this one, else why it is not [control-plane §1.4]. */
export function missOfProxy({ proxy: wanted }: EnvoyFilterMatch, proxy: ProxyNode): string | null {
  if (wanted === undefined) return null;
  const { proxyVersion, metadata } = wanted;
  if (proxyVersion !== "" && !versionMatches(proxyVersion, proxy.istioVersion))
    return `its version is ${proxy.istioVersion || "unknown"}, which ${proxyVersion} does not match`;
  const other = Object.entries(metadata).find(([key, value]) => proxy.metadata[key] !== value);
  return other === undefined ? null : `its metadata ${other[0]} is not ${other[1]}`;
}

function versionMatches(pattern: string, version: string): boolean {
  if (version === "") return false;
  // The form that Istio's own EnvoyFilters have needs no engine.
  const prefix = /^\^(\d+)\\\.(\d+)\.\*$/.exec(pattern);
  if (prefix !== null) return version.startsWith(`${prefix[1]}.${prefix[2]}`);
  try {
    return RE2JS.compile(pattern).matcher(version).find();
  } catch {
    // Validation refuses such a pattern; what got past it counts as unset, as upstream.
    return true;
  }
}
