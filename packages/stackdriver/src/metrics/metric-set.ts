import type { Clock } from "@mixerless/clock";
import type { MetricDefinition } from "./definitions.ts";
import type { Series, SeriesIdentity } from "./series.ts";
import type { SeriesRegistry } from "./series-registry.ts";

export interface MetricSetParts {
  readonly clock: Clock;
  readonly registry: SeriesRegistry;
  /** Milliseconds; 0: never. */
  readonly expiry: number;
  /** A measurement found no series. */
  readonly onDropped: () => void;
}

interface Place {
  readonly identity: SeriesIdentity;
  series: Series | null;
}

/** The series that streams of one combination of labels add to; each is made when it is first needed. */
export class MetricSet {
  readonly #parts: MetricSetParts;
  readonly #identify: (metric: MetricDefinition) => SeriesIdentity | null;
  /** Null: the metric is dropped by configuration. */
  readonly #places = new Map<MetricDefinition, Place | null>();

  constructor(parts: MetricSetParts, identify: (metric: MetricDefinition) => SeriesIdentity | null) {
    this.#parts = parts;
    this.#identify = identify;
  }

  add(metric: MetricDefinition, value: number): void {
    const place = this.#place(metric);
    if (place === null) return;
    const { clock, registry, expiry, onDropped } = this.#parts;
    if (place.series?.live !== true) place.series = registry.find(place.identity, expiry);
    if (place.series === null) onDropped();
    else place.series.add(value, clock.monotonic());
  }

  #place(metric: MetricDefinition): Place | null {
    const known = this.#places.get(metric);
    if (known !== undefined) return known;
    const identity = this.#identify(metric);
    const place = identity === null ? null : { identity, series: null };
    this.#places.set(metric, place);
    return place;
  }
}
