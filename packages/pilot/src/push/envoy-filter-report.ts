import { TypeUrl } from "@mixerless/xds";
import type { Fault } from "../config/fault.ts";
import { doubleCounting, envoyFilterFaults } from "../envoy-filters/envoy-filter-faults.ts";
import { type PatchOutcome, patchOutcomes } from "../envoy-filters/patch-outcomes.ts";
import type { Generated } from "../generators/generated.ts";
import { GenerationMemo } from "../generators/generation-memo.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import { GENERATED_TYPES, generate } from "./generate-resources.ts";
import { referencedNames } from "./referenced-names.ts";

/** More proxies than this are not looked at: what a patch does to one of a kind, it does to all. */
const MOST_PROXIES = 50;

export interface EnvoyFilterReport {
  readonly outcomes: readonly PatchOutcome[];
  readonly faults: readonly Fault[];
}

/** What becomes of every patch of every EnvoyFilter, by making the configuration of the proxies anew. */
export function envoyFilterReport(
  facts: Pick<GeneratorInput, "push" | "telemetry" | "mutualTls">,
  proxies: Iterable<ProxyNode>,
): EnvoyFilterReport {
  if (facts.push.configs("EnvoyFilter").length === 0) return { outcomes: [], faults: [] };
  const memo = new GenerationMemo(facts.push);
  const doubled: Fault[] = [];
  const outcomes = patchOutcomes(facts.push, oneOfEachKind(facts, proxies), (proxy, patchLog) => {
    const input = { ...facts, proxy, memo, patchLog };
    const listeners: Generated[] = [];
    for (const type of GENERATED_TYPES) {
      if (type === TypeUrl.endpoint) continue;
      const made = generate(input, type, referencedNames({ ...facts, proxy, memo }, type)) ?? [];
      if (type === TypeUrl.listener) listeners.push(...made);
    }
    doubled.push(...doubleCounting(listeners));
  });
  const distinct = new Map(doubled.map((fault) => [`${fault.object} ${fault.path}`, fault]));
  return { outcomes, faults: [...envoyFilterFaults(outcomes), ...distinct.values()] };
}

/** Replicas of one workload are told apart by nothing that a patch asks for. */
function oneOfEachKind({ push }: Pick<GeneratorInput, "push">, proxies: Iterable<ProxyNode>): ProxyNode[] {
  const kinds = new Map<string, ProxyNode>();
  for (const proxy of proxies) {
    const { type, namespace, istioVersion } = proxy;
    const labels = Object.entries(push.labelsOf(proxy)).sort();
    const key = JSON.stringify([type, namespace, istioVersion, labels.length > 0 ? labels : proxy.name]);
    if (!kinds.has(key)) kinds.set(key, proxy);
    if (kinds.size >= MOST_PROXIES) break;
  }
  return [...kinds.values()];
}
