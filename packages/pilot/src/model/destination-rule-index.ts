import type { ConfigObject } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import { bySpecificity, hostCovers } from "../config/host-name.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";
import type { MergedDestinationRule } from "./destination-rule.ts";
import { selectorMatches } from "./labels.ts";
import { resolveHost } from "./resolve-name.ts";
import { includesVisibility, isPrivate, isVisibleTo, resolveVisibility } from "./visibility.ts";

/** Rules of one namespace by host; the hosts in order of precedence. */
interface NamespaceRules {
  readonly hosts: readonly string[];
  readonly rules: ReadonlyMap<string, readonly MergedDestinationRule[]>;
}

/** DestinationRules, merged per host and namespace and looked up as §7.5 says. */
export class DestinationRuleIndex {
  readonly #namespaces = new Map<string, NamespaceRules>();
  readonly #rootNamespace: string;

  constructor(snapshot: ConfigSnapshot, mesh: MeshConfigSpec, clusterDomain: string) {
    this.#rootNamespace = mesh.rootNamespace;
    const merged = new Map<string, Map<string, MergedDestinationRule[]>>();
    for (const config of snapshot.list("DestinationRule")) {
      const hosts = merged.get(config.namespace) ?? new Map<string, MergedDestinationRule[]>();
      merged.set(config.namespace, hosts);
      const host = resolveHost(config.spec.host, { namespace: config.namespace, clusterDomain });
      hosts.set(host, addRule(hosts.get(host) ?? [], toRule(config, host, mesh.defaultDestinationRuleExportTo)));
    }
    for (const [namespace, rules] of merged) {
      this.#namespaces.set(namespace, { hosts: [...rules.keys()].sort(bySpecificity), rules });
    }
  }

  /**
   * The rule for a host: that of the client's namespace, else what the service's namespace, else the root
   * namespace exports. The first hit wins; rules of different namespaces never mix.
   */
  find(
    client: string,
    labels: StringMap,
    hostname: string,
    serviceNamespace: string | undefined,
  ): MergedDestinationRule | undefined {
    const inRoot = client === this.#rootNamespace;
    const own = this.#best(client, hostname, labels, (rule) => {
      return inRoot ? isPrivate(rule.visibility, client) : isVisibleTo(rule.visibility, client);
    });
    const exported = (rule: MergedDestinationRule) => {
      return rule.workloadSelector === undefined && isVisibleTo(rule.visibility, client);
    };
    const ofService = () =>
      serviceNamespace === undefined ? undefined : this.#best(serviceNamespace, hostname, labels, exported);
    return own ?? ofService() ?? this.#best(this.#rootNamespace, hostname, labels, exported);
  }

  #best(
    namespace: string,
    hostname: string,
    labels: StringMap,
    accept: (rule: MergedDestinationRule) => boolean,
  ): MergedDestinationRule | undefined {
    const entry = this.#namespaces.get(namespace);
    if (entry === undefined) return undefined;
    for (const host of entry.hosts) {
      if (!hostCovers(host, hostname)) continue;
      const rules = (entry.rules.get(host) ?? []).filter(accept);
      const selected = rules.find(
        ({ workloadSelector }) => workloadSelector && selectorMatches(workloadSelector.labels, labels),
      );
      const rule = selected ?? rules.find(({ workloadSelector }) => workloadSelector === undefined);
      if (rule !== undefined) return rule;
    }
    return undefined;
  }
}

function toRule(
  config: ConfigObject<"DestinationRule">,
  host: string,
  exportDefault: readonly string[],
): MergedDestinationRule {
  const { exportTo, workloadSelector, ...spec } = config.spec;
  const visibility =
    workloadSelector === undefined
      ? resolveVisibility(exportTo, config.namespace, exportDefault)
      : new Set([config.namespace]);
  const selector = workloadSelector === undefined ? {} : { workloadSelector };
  return Object.freeze({ ...spec, ...selector, host, namespace: config.namespace, visibility, configs: [config] });
}

/**
 * Adds a younger rule to those of its host. It merges into an older one that the same readers see; one that
 * more readers see merges into the narrower one and also stays by itself, for the others.
 */
function addRule(older: readonly MergedDestinationRule[], rule: MergedDestinationRule): MergedDestinationRule[] {
  let separate = true;
  const result = older.map((existing) => {
    if (selectorText(existing) !== selectorText(rule)) return existing;
    if (!includesVisibility(rule.visibility, existing.visibility)) return existing;
    if (includesVisibility(existing.visibility, rule.visibility)) separate = false;
    return merge(existing, rule);
  });
  return separate ? [...result, rule] : result;
}

function selectorText({ workloadSelector }: MergedDestinationRule): string {
  if (workloadSelector === undefined) return "";
  return JSON.stringify(Object.entries(workloadSelector.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function merge(older: MergedDestinationRule, younger: MergedDestinationRule): MergedDestinationRule {
  const names = new Set(older.subsets.map((subset) => subset.name));
  const policy = older.trafficPolicy ?? younger.trafficPolicy;
  return Object.freeze<MergedDestinationRule>({
    ...older,
    ...(policy === undefined ? {} : { trafficPolicy: policy }),
    subsets: [...older.subsets, ...younger.subsets.filter((subset) => !names.has(subset.name))],
    configs: [...older.configs, ...younger.configs],
  });
}
