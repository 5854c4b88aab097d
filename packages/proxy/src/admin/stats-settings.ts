import { compileStringMatcher } from "@mixerless/matchers";
import type { StatsConfig } from "@mixerless/wire/envoy/config/metrics/v3/stats";
import type { ListStringMatcher } from "@mixerless/wire/envoy/type/matcher/v3/string";
import type { ConfigFault } from "../network/config-fault.ts";

/** Which of the proxy's own numbers become series, and how their labels are called. */
export interface StatsSettings {
  /** By the dotted name. */
  readonly shows: (name: string) => boolean;
  readonly labels: { readonly cluster: string; readonly listener: string };
}

/**
 * Compiles `stats_config`; undefined: Envoy's defaults. Labels are never parsed out of names here [decision 4], so of
 * the tags only their names count.
 */
export function compileStatsSettings(
  config: StatsConfig | undefined,
  path: string,
  faults: ConfigFault[],
): StatsSettings {
  const named = (tag: string) => config?.statsTags.some(({ tagName }) => tagName === tag) === true;
  config?.statsTags.forEach(({ tagName }, i) => {
    if (["cluster_name", "listener_address"].includes(tagName)) return;
    const message = `the label "${tagName}" cannot be had by a rule; cluster_name and listener_address can be asked for`;
    faults.push({ path: `${path}.statsTags[${i}].tagName`, message });
  });
  return {
    shows: compileMatcher(config, `${path}.statsMatcher`, faults),
    labels: {
      cluster: named("cluster_name") ? "cluster_name" : "envoy_cluster_name",
      listener: named("listener_address") ? "listener_address" : "envoy_listener_address",
    },
  };
}

function compileMatcher(config: StatsConfig | undefined, path: string, faults: ConfigFault[]): StatsSettings["shows"] {
  const matcher = config?.statsMatcher?.statsMatcher;
  switch (matcher?.case) {
    case "rejectAll":
      return matcher.value ? () => false : () => true;
    case "inclusionList":
      return anyOf(matcher.value, `${path}.inclusionList`, faults);
    case "exclusionList": {
      const excluded = anyOf(matcher.value, `${path}.exclusionList`, faults);
      return (name) => !excluded(name);
    }
    default:
      return () => true;
  }
}

function anyOf(list: ListStringMatcher, path: string, faults: ConfigFault[]): StatsSettings["shows"] {
  const tests = list.patterns.map((pattern, i) => compileStringMatcher(pattern, `${path}.patterns[${i}]`, faults));
  return (name) => tests.some((test) => test(name));
}
