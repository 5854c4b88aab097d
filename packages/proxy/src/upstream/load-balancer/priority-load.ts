import type { PriorityLevel } from "../host-set.ts";

/** How one priority level takes part in balancing. */
export interface LevelLoad {
  /** Share of the requests, in percent; the shares of all levels sum to 100 (or to 0 without hosts). */
  readonly percent: number;
  /** In panic, health is ignored: too few healthy hosts are left to carry the load. */
  readonly panic: boolean;
}

/**
 * Shares of the priority levels as Envoy computes them: each level takes what its health allows, the
 * next takes the rest; when not even all together can carry 100 %, the shares are scaled up.
 * `panicThreshold` is in percent; 0 switches panic off. `overprovisioning` as {@link HostSet.overprovisioning}.
 */
export function computeLevelLoads(
  levels: readonly PriorityLevel[],
  panicThreshold: number,
  overprovisioning: number,
): LevelLoad[] {
  const health = levels.map((level) => {
    if (level.hosts.length === 0) return 0;
    const healthy = level.hosts.filter((host) => host.healthy).length;
    return Math.min(100, Math.floor((overprovisioning * 100 * healthy) / level.hosts.length));
  });
  const total = Math.min(
    100,
    health.reduce((sum, value) => sum + value, 0),
  );
  const panic = levels.map((level) => inPanic(level, panicThreshold, total));
  if (total === 0) return shareInPanic(levels, panic);

  let left = 100;
  const percents = health.map((value) => {
    const percent = Math.min(left, Math.round((value * 100) / total));
    left -= percent;
    return percent;
  });
  const firstWithLoad = percents.findIndex((percent) => percent > 0);
  if (left > 0 && firstWithLoad >= 0) percents[firstWithLoad] = (percents[firstWithLoad] ?? 0) + left;
  return percents.map((percent, i) => ({ percent, panic: panic[i] ?? false }));
}

function inPanic(level: PriorityLevel, threshold: number, totalHealth: number): boolean {
  if (threshold === 0 || level.hosts.length === 0) return false;
  // As long as the levels together can carry everything, a weak level just gets less.
  if (totalHealth >= 100) return false;
  const healthy = level.hosts.filter((host) => host.healthy).length;
  return (100 * healthy) / level.hosts.length < threshold;
}

function shareInPanic(levels: readonly PriorityLevel[], panic: readonly boolean[]): LevelLoad[] {
  const hosts = levels.map((level, i) => (panic[i] ? level.hosts.length : 0));
  const total = hosts.reduce((sum, count) => sum + count, 0);
  return hosts.map((count, i) => ({ percent: total === 0 ? 0 : (100 * count) / total, panic: panic[i] ?? false }));
}
