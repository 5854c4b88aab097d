import type { LoadBalancerContext } from "../cluster.ts";
import type { HostSet } from "../host-set.ts";
import type { UpstreamHost } from "../upstream-host.ts";
import type { Picker, PickerFactory, Random } from "./load-balancer.ts";
import { computeLevelLoads, type LevelLoad } from "./priority-load.ts";
import { WeightedSchedule } from "./weighted-schedule.ts";

export interface ChooserOptions {
  readonly hosts: HostSet;
  readonly createPicker: PickerFactory;
  readonly random: Random;
  /** Percent of healthy hosts below which health is ignored; 0 never. */
  readonly panicThreshold: number;
  /** Split by locality weights before picking a host (`locality_weighted_lb_config`). */
  readonly localityWeighted: boolean;
  /** Other picks for a retry that would meet a host it has tried. */
  readonly attempts?: number;
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
    const picker = this.#pickers[this.#chooseLevel()];
    if (picker === undefined) return null;
    const tried = context.triedHosts;
    let host = picker.pick(context);
    // Envoy's `previous_hosts` predicate: look again a few times, then take what comes.
    for (let i = this.#options.attempts ?? 5; i > 0 && host !== null && tried.includes(host); i--)
      host = picker.pick(context);
    return host;
  }

  #chooseLevel(): number {
    if (this.#loads.length === 1) return 0;
    let left = this.#options.random() * 100;
    for (let i = 0; i < this.#loads.length; i++) {
      left -= this.#loads[i]?.percent ?? 0;
      if (left < 0) return i;
    }
    return 0;
  }

  #rebuild(): void {
    const { hosts, panicThreshold } = this.#options;
    this.#generation = hosts.generation;
    this.#loads = computeLevelLoads(hosts.levels, panicThreshold);
    this.#pickers = hosts.levels.map((level, i) => {
      const usable = this.#loads[i]?.panic ? level.hosts : level.hosts.filter((host) => host.healthy);
      return this.#createLevelPicker(usable);
    });
  }

  #createLevelPicker(hosts: readonly UpstreamHost[]): Picker {
    if (hosts.length === 0) return { pick: () => null };
    if (!this.#options.localityWeighted) return this.#options.createPicker(hosts);
    const localities = [...groupByLocality(hosts)].filter((members) => (members[0]?.localityWeight ?? 0) > 0);
    if (localities.length < 2) return this.#options.createPicker(localities[0] ?? hosts);
    const weighted = localities.map((members) => ({
      weight: members[0]?.localityWeight ?? 1,
      picker: this.#options.createPicker(members),
    }));
    const schedule = new WeightedSchedule(weighted, (entry) => entry.weight, this.#options.random);
    return { pick: (context) => schedule.next()?.picker.pick(context) ?? null };
  }
}

function groupByLocality(hosts: readonly UpstreamHost[]): Iterable<UpstreamHost[]> {
  const groups = new Map<string, UpstreamHost[]>();
  for (const host of hosts) {
    const key = `${host.locality.region}\0${host.locality.zone}\0${host.locality.subZone}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  return groups.values();
}
