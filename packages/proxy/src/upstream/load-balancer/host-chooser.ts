import type { LoadBalancerContext } from "../cluster.ts";
import type { HostSet } from "../host-set.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import type { Picker, Policy, Random } from "./load-balancer.ts";
import { computeLevelLoads, type LevelLoad } from "./priority-load.ts";
import { sharesOf } from "./shares.ts";
import { WeightedSchedule } from "./weighted-schedule.ts";

export interface ChooserOptions {
  readonly hosts: HostSet;
  readonly policy: Policy;
  readonly random: Random;
  /** Percent of healthy hosts below which health is ignored; 0 never. */
  readonly panicThreshold: number;
  /** Split by locality weights before picking a host (`locality_weighted_lb_config`). */
  readonly localityWeighted: boolean;
}

/** Priority, then locality, then host. Rebuilt lazily when the hosts have changed. */
export class HostChooser {
  readonly #options: ChooserOptions;
  #generation = -1;
  #loads: LevelLoad[] = [];
  #pickers: Picker[] = [];

  constructor(options: ChooserOptions) {
    this.#options = options;
  }

  choose(context: LoadBalancerContext): UpstreamHost | null {
    if (this.#generation !== this.#options.hosts.generation) this.#rebuild();
    const picker = this.#pickers[this.#chooseLevel(this.#loadsFor(context), context)];
    if (picker === undefined) return null;
    const tried = context.triedHosts;
    let host = picker.pick(context, 0);
    // Envoy's `previous_hosts` predicate: look again a few times, then take what comes.
    for (let i = 1; i <= context.hostAttempts && host !== null && tried.includes(host); i++) {
      host = picker.pick(context, i);
    }
    return host;
  }

  /** A retry leaves out the priorities that it has tried, unless nothing is left then. */
  #loadsFor(context: LoadBalancerContext): readonly LevelLoad[] {
    const { triedPriorities } = context;
    if (triedPriorities.size === 0 || this.#loads.length < 2) return this.#loads;
    const { hosts, panicThreshold } = this.#options;
    const left = hosts.levels.map((level) =>
      triedPriorities.has(level.priority) ? { priority: level.priority, hosts: [] } : level,
    );
    const loads = computeLevelLoads(left, panicThreshold, hosts.overprovisioning);
    // Pickers were made for the panic of all levels together: a level without healthy hosts has none to pick.
    const usable = loads.some((load, i) => load.percent > 0 && left[i]?.hosts.some((host) => host.healthy));
    return usable ? loads : this.#loads;
  }

  #chooseLevel(loads: readonly LevelLoad[], { hash }: LoadBalancerContext): number {
    if (loads.length === 1) return 0;
    const { policy, random } = this.#options;
    let left = policy.hashes && hash !== null ? Number(hash % 100n) : random() * 100;
    for (let i = 0; i < loads.length; i++) {
      left -= loads[i]?.percent ?? 0;
      if (left < 0) return i;
    }
    return 0;
  }

  #rebuild(): void {
    const { hosts, panicThreshold } = this.#options;
    this.#generation = hosts.generation;
    this.#loads = computeLevelLoads(hosts.levels, panicThreshold, hosts.overprovisioning);
    this.#pickers = hosts.levels.map((level, i) => {
      const usable = this.#loads[i]?.panic ? level.hosts : level.hosts.filter((host) => host.healthy);
      return this.#createLevelPicker(usable, level.hosts);
    });
  }

  #createLevelPicker(hosts: readonly UpstreamHost[], all: readonly UpstreamHost[]): Picker {
    if (hosts.length === 0) return { pick: () => null };
    const { policy, localityWeighted, random, hosts: set } = this.#options;
    if (!localityWeighted) return this.#createFlatPicker(hosts);
    const localities = [...groupByLocality(hosts)].filter((members) => (members[0]?.localityWeight ?? 0) > 0);
    if (localities.length < 2) return this.#createFlatPicker(localities[0] ?? hosts);
    if (policy.hashes) {
      const groups = localities.map((members) => ({ members, weight: members[0]?.localityWeight ?? 0 }));
      return policy.createPicker(localities.flat(), sharesOf(groups));
    }
    const entries = localities.map((members) => ({
      weight: effectiveWeight(members, all, set.overprovisioning),
      picker: this.#createFlatPicker(members),
    }));
    const schedule = new WeightedSchedule(entries, (entry) => entry.weight, random);
    return { pick: (context, attempt) => schedule.next()?.picker.pick(context, attempt) ?? null };
  }

  #createFlatPicker(hosts: readonly UpstreamHost[]): Picker {
    return this.#options.policy.createPicker(hosts, sharesOf([{ members: hosts, weight: 1 }]));
  }
}

/** A locality keeps its weight until too few of its hosts are healthy; then it shrinks with them. */
function effectiveWeight(
  usable: readonly UpstreamHost[],
  all: readonly UpstreamHost[],
  overprovisioning: number,
): number {
  const first = usable[0];
  if (first === undefined) return 0;
  const key = localityKey(first);
  const size = all.filter((host) => localityKey(host) === key).length;
  return first.localityWeight * Math.min(1, (overprovisioning * usable.length) / size);
}

function localityKey({ locality }: UpstreamHost): string {
  return `${locality.region}\0${locality.zone}\0${locality.subZone}`;
}

function groupByLocality(hosts: readonly UpstreamHost[]): Iterable<UpstreamHost[]> {
  const groups = new Map<string, UpstreamHost[]>();
  for (const host of hosts) {
    const key = localityKey(host);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  return groups.values();
}
