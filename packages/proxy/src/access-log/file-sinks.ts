import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { BatchingSinks } from "./batching-sinks.ts";
import { openFileWriter } from "./file-writer.ts";

/** The files of access logs, which count the lines that they give up. */
export function createFileSinks(clock: Clock, metrics: MetricStore): BatchingSinks {
  const droppedLines = metrics
    .counter({
      name: "mixerless_access_log_dropped_lines_total",
      help: "Lines of access logs given up because a file could not be written, or not fast enough.",
      evictable: false,
    })
    .series([], []);
  return new BatchingSinks({ clock, openWriter: openFileWriter, onDropped: (lines) => droppedLines.add(lines) });
}
