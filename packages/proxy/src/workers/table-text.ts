import type { SeriesTable, TableEntry, TableFamily } from "./series-table.ts";
import { combine } from "./sum-stats.ts";

/** Series printed before other work gets its turn. */
const SLICE = 256;

export interface PrintOptions {
  readonly openMetrics: boolean;
  /** By family: HELP, TYPE, UNIT as the workers print them. */
  readonly heads: ReadonlyMap<string, string>;
  readonly shown: (entry: TableEntry, family: TableFamily) => boolean;
}

/** The summed series in the exposition format that they were read in. The samples of one series are of one instant. */
export async function* printTable(table: SeriesTable, options: PrintOptions): AsyncGenerator<Uint8Array> {
  for (const family of table.families) {
    let text = options.heads.get(family.name) ?? headOf(family, options.openMetrics);
    let printed = 0;
    for (const entry of family.entries.values()) {
      if (!options.shown(entry, family)) continue;
      text += samples(family, entry);
      if (++printed % SLICE !== 0) continue;
      yield Buffer.from(text, "latin1");
      text = "";
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (printed > 0 && text !== "") yield Buffer.from(text, "latin1");
  }
  if (options.openMetrics) yield Buffer.from("# EOF\n");
}

/** Of a metric that only ended workers have had. */
function headOf({ name, kind }: TableFamily, openMetrics: boolean): string {
  if (!openMetrics || kind !== "counter") return `# TYPE ${name} ${kind}\n`;
  return name.endsWith("_total") ? `# TYPE ${name.slice(0, -6)} counter\n` : `# TYPE ${name} unknown\n`;
}

function samples({ name }: TableFamily, { labels, layout, series }: TableEntry): string {
  const values = combine(name) === Math.max ? series.greatest() : series.total();
  const braces = labels === "" ? "" : `{${labels}}`;
  if (layout === null) return `${name}${braces} ${numberText(values[0] ?? 0)}\n`;
  const prefix = labels === "" ? "" : `${labels},`;
  let text = "";
  for (const [i, bound] of layout.bounds.entries())
    text += `${name}_bucket{${prefix}le="${bound}"} ${numberText(values[i] ?? 0)}\n`;
  let at = layout.bounds.length;
  if (layout.hasSum) text += `${name}_sum${braces} ${numberText(values[at++] ?? 0)}\n`;
  return `${text}${name}_count${braces} ${numberText(values[at] ?? 0)}\n`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
