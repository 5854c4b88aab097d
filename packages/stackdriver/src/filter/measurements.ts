import type { Clock } from "@mixerless/clock";
import type { LocalNode } from "@mixerless/extensions";
import type { RootContext, StreamContext } from "@mixerless/sdk";
import type { Resource } from "../config/platform.ts";
import type { StackdriverConfig } from "../config/plugin-config.ts";
import type { CloudExport } from "../export/cloud-export.ts";
import { type Labels, relationLabels } from "../logs/log-labels.ts";
import { CLIENT_METRICS, type MetricDefinition, SERVER_METRICS, type SideMetrics } from "../metrics/definitions.ts";
import { MetricSet } from "../metrics/metric-set.ts";
import type { SeriesIdentity } from "../metrics/series.ts";
import type { Attributes } from "./attributes.ts";
import { Combinations, type Relation, type StreamKind } from "./combinations.ts";
import { metricLabels } from "./metric-labels.ts";
import { compileOverrides, type Override } from "./overrides.ts";
import { known } from "./text.ts";

export interface MeasurementParts {
  readonly root: RootContext;
  readonly clock: Clock;
  readonly isServer: boolean;
  readonly attributes: Attributes;
  readonly config: StackdriverConfig;
  readonly meshUid: string;
  readonly cloud: CloudExport;
  /** Whether metrics are exported; relations are needed for the log too. */
  readonly enabled: boolean;
  readonly node: LocalNode;
  readonly owner: string;
  readonly resource: Resource;
}

/** What streams of one relation share. */
export interface Shared {
  readonly relation: Relation;
  readonly logLabels: Labels;
  readonly metrics: MetricSet | null;
}

/** Finds the series of streams. */
export class Measurements {
  readonly of: SideMetrics;
  readonly #parts: MeasurementParts;
  readonly #overrides: readonly Override[];
  readonly #combinations: Combinations<Shared>;

  constructor(parts: MeasurementParts) {
    const { root, isServer, node, attributes, config } = parts;
    this.#parts = parts;
    this.of = isServer ? SERVER_METRICS : CLIENT_METRICS;
    this.#overrides = compileOverrides(root, config.overrides);
    this.#combinations = new Combinations<Shared>({
      ...{ isServer, node, attributes, overrides: this.#overrides },
      hostHeader: config.hostHeaderFallback,
      serviceName: config.destinationServiceName,
      make: (relation) => this.#make(relation),
    });
  }

  find(stream: StreamContext, kind: StreamKind): Shared {
    return this.#combinations.find(stream, kind);
  }

  #make(relation: Relation): Shared {
    const { clock, isServer, config, meshUid, cloud, enabled, owner, resource } = this.#parts;
    const values = metricLabels(relation, { meshUid, localOwner: owner, isServer });
    const identify = (metric: MetricDefinition): SeriesIdentity | null =>
      config.overrides.get(metric.name)?.drop === true
        ? null
        : { metric, resource, values: this.#overridden(metric, values, relation) };
    const parts = {
      ...{ clock, registry: cloud.registry, expiry: config.metricExpiry },
      onDropped: () => cloud.counters.series.dropped(1),
    };
    return {
      relation,
      logLabels: relationLabels(relation, isServer),
      metrics: enabled ? new MetricSet(parts, identify) : null,
    };
  }

  #overridden({ name }: MetricDefinition, values: readonly string[], { evaluated }: Relation): readonly string[] {
    const own = [...values];
    for (const [index, { metric, place }] of this.#overrides.entries())
      if (metric === name) own[place] = known(evaluated[index] ?? "");
    return own;
  }
}
