/** Half of the life, give or take: agents that started together renew apart [control-plane §6.6]. */
const GRACE = 0.5;
const JITTER = 0.01;
/** Milliseconds: a certificate that is late already is not asked for in a tight loop. */
const SOONEST = 1000;

/**
 * Milliseconds from `now` until a certificate should be renewed: when the rest of its life is half of the
 * whole, ± 1 %. `random` is uniform in [0, 1).
 */
export function renewalDelay(
  life: { readonly notBefore: number; readonly notAfter: number },
  now: number,
  random: number,
): number {
  const grace = (life.notAfter - life.notBefore) * (GRACE + JITTER * (2 * random - 1));
  return Math.max(SOONEST, life.notAfter - grace - now);
}
