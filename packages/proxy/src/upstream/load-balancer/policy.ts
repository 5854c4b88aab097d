import type { Clock } from "@mixerless/clock";
import type { LoadBalancerPolicy, SlowStartConfig } from "../cluster-config.ts";
import { createLeastRequest } from "./least-request.ts";
import type { Policy, Random } from "./load-balancer.ts";
import { createMaglev } from "./maglev.ts";
import { createRandom } from "./random.ts";
import { createRingHash } from "./ring-hash.ts";
import { createRoundRobin } from "./round-robin.ts";
import { SlowStart } from "./slow-start.ts";

/** The policy that a cluster is configured with. */
export function createPolicy(config: LoadBalancerPolicy, random: Random, clock: Clock): Policy {
  const gradually = (slow: SlowStartConfig | null) => (slow === null ? null : new SlowStart(slow, clock));
  switch (config.kind) {
    case "round-robin": {
      const slowStart = gradually(config.slowStart);
      return { hashes: false, createPicker: (hosts) => createRoundRobin(hosts, random, slowStart) };
    }
    case "random":
      return { hashes: false, createPicker: (hosts) => createRandom(hosts, random) };
    case "least-request": {
      const slowStart = gradually(config.slowStart);
      return { hashes: false, createPicker: (hosts) => createLeastRequest(hosts, random, config, slowStart) };
    }
    case "ring-hash":
      return { hashes: true, createPicker: (hosts, shareOf) => createRingHash(hosts, random, config, shareOf) };
    case "maglev":
      return {
        hashes: true,
        createPicker: (hosts, shareOf) => createMaglev(hosts, random, config.tableSize, shareOf),
      };
  }
}
