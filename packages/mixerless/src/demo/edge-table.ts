import { type Edge, latency } from "@mixerless/store";

/** What came over each edge within `seconds`, as its source counted it, as a table for a terminal. */
export function renderEdges(growth: readonly Edge[], seconds: number): string {
  const rows = growth
    .filter(({ reporter }) => reporter === "source")
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .map((edge) => row(edge, seconds));
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

function nameOf({ source, destination }: Edge): string {
  return `${source} → ${destination}`;
}

function row(edge: Edge, seconds: number): string[] {
  const { source, destination, requests, failures } = edge;
  const success = requests === 0 ? "-" : `${((100 * (requests - failures)) / requests).toFixed(1)}%`;
  return [source, destination, (requests / seconds).toFixed(1), success, latencyOf(edge, 0.5), latencyOf(edge, 0.99)];
}

function latencyOf(edge: Edge, q: number): string {
  const value = latency(edge, q);
  return value === null ? "-" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
