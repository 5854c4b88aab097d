import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import type { ExtensionTable } from "./extension.ts";

/** `xds.node` as extensions read it, plain JSON: `id`, `cluster`, `metadata`, `locality` and so on. */
export type NodeFacts = Readonly<Record<string, unknown>>;

export interface ExtensionHostOptions {
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly node: NodeFacts;
  /** Levels: 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  readonly log: (level: number, message: string) => void;
}

/** Runs the extensions of a table in this process. One per proxy. */
export class ExtensionHost {
  readonly table: ExtensionTable;
  readonly options: ExtensionHostOptions;

  constructor(table: ExtensionTable, options: ExtensionHostOptions) {
    this.table = table;
    this.options = options;
  }
}
