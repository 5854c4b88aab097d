/**
 * The part of the mesh's own `Clock` that the sample needs, declared again so that the sample depends on
 * nothing. Any `Clock` of `@mixerless/clock` fits.
 */
export interface Clock {
  /** Milliseconds on a clock that never jumps; its zero has no meaning. */
  monotonic(): number;
  /** Calls `callback` once, `delay` milliseconds from now. */
  after(delay: number, callback: () => void): { cancel(): void };
}

/** The machine's own time. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  after: (delay, callback) => {
    const handle = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
