import { ByteWriter } from "./byte-writer.ts";
import { FamilyText, type TextStyle } from "./family-text.ts";
import type { FamilyView, MetricType } from "./metric.ts";
import type { Format } from "./negotiate.ts";
import type { Series } from "./series.ts";

export interface ExposeOptions {
  /** Default: the text format 0.0.4. */
  readonly format?: Format;
  /** Only series that were ever updated. */
  readonly usedOnly?: boolean;
  /** Only metrics whose name passes. */
  readonly filter?: (metric: string) => boolean;
  /**
   * Byte for byte as Envoy prints: no HELP, `name{} 0` for a sample without labels, bounds and sums
   * with all digits [telemetry.md §7.3]. For the text format.
   */
  readonly envoyStyle?: boolean;
  /**
   * Prints the bounds in OpenMetrics as the text format does (`le="1"`, not `le="1.0"`), so that the
   * series keep their identity whichever format is scraped.
   */
  readonly plainBounds?: boolean;
}

/** What is needed of a metric to print it. */
export interface ExposedFamily extends FamilyView {
  readonly order: { walk(): Generator<void, readonly Series[]> };
}

/** Series written, and bytes collected, before other work gets its turn. */
const SLICE_SERIES = 256;
const SLICE_BYTES = 262_144;

const RANK: Readonly<Record<MetricType, number>> = { counter: 0, gauge: 1, histogram: 2 };

/**
 * The metrics in an exposition format. Each step is a turn's worth of work; it yields the bytes that
 * are ready, or null. The samples of one series are of one instant; those of two may not be.
 */
export function* exposeSlices(families: Iterable<ExposedFamily>, options: ExposeOptions): Generator<Uint8Array | null> {
  const openMetrics = options.format?.name === "openmetrics";
  const all = [...families];
  const names = new Set(all.map((family) => family.name));
  const chosen = all.filter((family) => options.filter?.(family.name) ?? true);
  chosen.sort((a, b) => RANK[a.type] - RANK[b.type] || (a.name < b.name ? -1 : 1));
  const out = new ByteWriter();
  for (const family of chosen) {
    const head = openMetrics ? openMetricsHead(family, names) : textHead(family, options);
    yield* exposeFamily(family, head, options, out);
  }
  if (openMetrics) out.ascii("# EOF\n");
  if (out.length > 0) yield out.take(0);
}

function* exposeFamily(
  family: ExposedFamily,
  head: Uint8Array,
  options: ExposeOptions,
  out: ByteWriter,
): Generator<Uint8Array | null> {
  const text = new FamilyText(family.name, family.type, styleOf(options));
  let written = 0;
  for (const series of yield* pauses(family.order.walk())) {
    if (!series.live || (options.usedOnly === true && series.touched === 0)) continue;
    if (written === 0) out.bytes(head);
    text.write(out, series);
    if (++written % SLICE_SERIES === 0 || out.length >= SLICE_BYTES) yield out.take(SLICE_BYTES);
  }
}

function* pauses<T>(steps: Generator<void, T>): Generator<null, T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    yield null;
  }
}

function styleOf(options: ExposeOptions): TextStyle {
  const openMetrics = options.format?.name === "openmetrics";
  return {
    envoy: options.envoyStyle === true && !openMetrics,
    canonicalBounds: openMetrics && options.plainBounds !== true,
    sumOfNegatives: !openMetrics,
  };
}

function textHead(family: FamilyView, options: ExposeOptions): Uint8Array {
  const help =
    family.help === "" || options.envoyStyle === true ? "" : `# HELP ${family.name} ${escapeHelp(family.help)}\n`;
  return Buffer.from(`${help}# TYPE ${family.name} ${family.type}\n`);
}

function openMetricsHead(family: FamilyView, names: ReadonlySet<string>): Uint8Array {
  const { name, type } = openMetricsFamily(family, names);
  const unit = family.unit !== "" && name.endsWith(`_${family.unit}`) ? `# UNIT ${name} ${family.unit}\n` : "";
  const help = family.help === "" ? "" : `# HELP ${name} ${escapeHelp(family.help).replaceAll('"', '\\"')}\n`;
  return Buffer.from(`# TYPE ${name} ${type}\n${unit}${help}`);
}

/**
 * A counter is declared without the `_total` of its samples. One that has no such name can't be a
 * counter there; it is of unknown type rather than renamed, so that its series stay the same.
 */
function openMetricsFamily(family: FamilyView, names: ReadonlySet<string>): { name: string; type: string } {
  if (family.type !== "counter") return family;
  const name = family.name.replace(/_total$/, "");
  return name === family.name || names.has(name) ? { name: family.name, type: "unknown" } : { name, type: "counter" };
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
