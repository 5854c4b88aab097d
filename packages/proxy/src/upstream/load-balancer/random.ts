import type { UpstreamHost } from "../upstream-host.ts";
import type { Picker, Random } from "./load-balancer.ts";

/** Any host, each with the same chance; weights are ignored, as Envoy's policy of this name does. */
export function createRandom(hosts: readonly UpstreamHost[], random: Random): Picker {
  return { pick: () => hosts[Math.floor(random() * hosts.length)] ?? null };
}
