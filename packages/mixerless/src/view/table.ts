/** A table in istioctl's manner: columns padded with spaces, nothing behind the last one [control-plane §10.3]. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[], padding = 5): string {
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)) + padding);
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
