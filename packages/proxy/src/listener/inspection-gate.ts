import type { Clock } from "@mixerless/clock";
import type { IncomingConnection } from "../transport/incoming-connection.ts";
import type { ListenerStats } from "./listener-stats.ts";

export interface InspectionLimits {
  /** Connections of which nothing is known yet; each holds a handle. */
  readonly waiting: number;
  /** That they have sent, all together. */
  readonly bytes: number;
}

const LIMITS: InspectionLimits = { waiting: 4096, bytes: 16 * 1024 * 1024 };
/** Milliseconds that a client has for a hello that it has begun. One that says nothing at all may be waited for longer. */
const HELLO_TIMEOUT = 10_000;

/**
 * Bounds what clients that don't get to the point can hold of a listener. Where a server may be the one to speak
 * first, silence has no limit in time: so the number has one, and the one that has waited longest goes.
 */
export class InspectionGate {
  readonly #clock: Clock;
  readonly #stats: ListenerStats;
  readonly #limits: InspectionLimits;
  readonly #waiting = new Set<Waiting>();
  #bytes = 0;

  constructor(clock: Clock, stats: ListenerStats, limits: InspectionLimits = LIMITS) {
    this.#clock = clock;
    this.#stats = stats;
    this.#limits = limits;
  }

  enter(incoming: IncomingConnection): Waiting {
    const waiting = new Waiting(incoming, this.#clock, {
      grew: (bytes) => this.#grew(bytes),
      late: () => {
        this.#stats.preCxTimeout++;
      },
      left: (bytes) => {
        this.#waiting.delete(waiting);
        this.#bytes -= bytes;
        this.#stats.preCxActive--;
      },
    });
    this.#waiting.add(waiting);
    this.#stats.preCxActive++;
    if (this.#waiting.size > this.#limits.waiting) this.#evict();
    return waiting;
  }

  #grew(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#limits.bytes && this.#waiting.size > 1) this.#evict();
  }

  #evict(): void {
    const [oldest] = this.#waiting;
    this.#stats.preCxOverflow++;
    oldest?.end();
  }
}

interface Events {
  readonly grew: (bytes: number) => void;
  readonly late: () => void;
  readonly left: (bytes: number) => void;
}

/** One connection that is looked at. */
export class Waiting {
  readonly #incoming: IncomingConnection;
  readonly #clock: Clock;
  readonly #events: Events;
  #bytes = 0;
  #deadline: { cancel(): void } | null = null;
  #over = false;

  constructor(incoming: IncomingConnection, clock: Clock, events: Events) {
    this.#incoming = incoming;
    this.#clock = clock;
    this.#events = events;
  }

  /** More has come, and it is not enough. */
  incomplete(bytes: number): void {
    this.#bytes += bytes;
    this.#deadline ??= this.#clock.after(HELLO_TIMEOUT, () => {
      this.#events.late();
      this.end();
    });
    this.#events.grew(bytes);
  }

  /** It is no longer looked at. */
  leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#events.left(this.#bytes);
  }

  /** It is given up. */
  end(): void {
    this.leave();
    this.#incoming.destroy();
  }
}
