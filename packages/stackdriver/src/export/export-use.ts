import type { Clock } from "@mixerless/clock";
import type { CloudSettings } from "../config/endpoints.ts";
import type { CloudExport } from "./cloud-export.ts";
import type { ExportCounters } from "./export-counters.ts";

/** What a filter's export depends on; the same for all filters of a proxy. */
export interface ExportRequest {
  readonly project: string;
  readonly settings: CloudSettings;
  readonly counters: ExportCounters;
  readonly warn: (message: string) => void;
}

/** Hands the export to filters, and ends it with the last of them. */
export interface ExportUse {
  readonly clock: Clock;
  readonly withMetrics: boolean;
  nextId(): string;
  acquire(request: ExportRequest): CloudExport;
  release(): void;
}
