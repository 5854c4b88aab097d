import { type Edge, type Edges, quantile } from "./edges.ts";

/** The edges between two scrapes, `seconds` apart, as a table for a terminal. */
export function renderEdges(before: Edges, after: Edges, seconds: number): string {
  const rows = [...after]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, edge]) => row(before.get(key), edge, seconds));
  const header = ["SOURCE", "DESTINATION", "RPS", "SUCCESS", "P50", "P99"];
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table
    .map((cells) =>
      cells
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function row(before: Edge | undefined, after: Edge, seconds: number): string[] {
  const requests = after.requests - (before?.requests ?? 0);
  const errors = after.errors - (before?.errors ?? 0);
  const success = requests === 0 ? "-" : `${((100 * (requests - errors)) / requests).toFixed(1)}%`;
  return [
    after.source,
    after.destination,
    (requests / seconds).toFixed(1),
    success,
    latency(0.5, before, after),
    latency(0.99, before, after),
  ];
}

function latency(q: number, before: Edge | undefined, after: Edge): string {
  const value = quantile(q, before, after);
  return value === null ? "-" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
