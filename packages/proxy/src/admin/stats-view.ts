import { create } from "@bufbuild/protobuf";
import type { AdminAnswer } from "@mixerless/admin-server";
import { compileRegexMatcher } from "@mixerless/matchers";
import type { ExposeOptions, FamilyView, HistogramView, MetricStore } from "@mixerless/metrics";
import { negotiate, TEXT_FORMAT } from "@mixerless/metrics";
import { RegexMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/regex";
import type { ListenerState } from "../listener/listener-manager.ts";
import type { UpstreamCluster } from "../upstream/upstream-cluster.ts";
import { clusterStats, dottedName, listenerStats, type OwnStat, type ProcessStats, processStats } from "./own-stats.ts";
import { statName } from "./stat-name.ts";

export interface StatsFacts {
  readonly metrics: MetricStore;
  readonly clusters: { readonly clusters: readonly UpstreamCluster[] };
  readonly listeners: { readonly states: readonly ListenerState[] };
  /** Null where another process speaks for the proxy as a whole. */
  process(): ProcessStats | null;
}

/** Something that prints series: a store, or several as one. */
export interface SeriesSource {
  expose(options?: ExposeOptions): AsyncIterable<Uint8Array>;
}

/** One line of `/stats`. */
interface Stat {
  readonly name: string;
  readonly value: number | HistogramView;
  readonly used: boolean;
}

type Test = (name: string) => boolean;

/** Lines written before other work gets its turn. */
const SLICE = 256;

/**
 * Answers `/stats` as Envoy does: `format=text|json|prometheus`, `filter=<RE2, anywhere in the name>`, `usedonly`.
 * Histograms are printed as with Envoy's `histogram_buckets=cumulative`: for each bound the observations since the
 * start, of the bucket and of all up to it.
 */
export function answerStats(
  facts: StatsFacts,
  series: SeriesSource,
  query: URLSearchParams,
  accept: string | undefined,
): AdminAnswer {
  const format = query.get("format") ?? "text";
  const filter = compileFilter(query.get("filter"));
  if (typeof filter === "string") return { status: 400, body: `Invalid re2 regex: ${filter}\n` };
  const usedOnly = query.has("usedonly");
  switch (format) {
    case "prometheus":
      return answerPrometheus(series, query, accept);
    case "json":
      return { body: jsonLines(facts, filter, usedOnly), contentType: "application/json" };
    case "text":
      return { body: textLines(facts, filter, usedOnly) };
    default:
      return { status: 400, body: `usage: /stats?format=text, json or prometheus; "${format}" is none of them\n` };
  }
}

/** Answers `/stats/prometheus`. */
export function answerPrometheus(
  source: SeriesSource,
  query: URLSearchParams,
  accept: string | undefined,
): AdminAnswer {
  const filter = compileFilter(query.get("filter"));
  if (typeof filter === "string") return { status: 400, body: `Invalid re2 regex: ${filter}\n` };
  const format = accept === undefined ? TEXT_FORMAT : negotiate(accept);
  const options = {
    ...{ format, plainBounds: true, usedOnly: query.has("usedonly") },
    ...(filter === null ? {} : { filter }),
  };
  return { body: source.expose(options), contentType: format.contentType };
}

function compileFilter(pattern: string | null): Test | null | string {
  if (pattern === null || pattern === "") return null;
  const faults: { path: string; message: string }[] = [];
  const whole = create(RegexMatcherSchema, { regex: `(?s).*(?:${pattern}).*` });
  const test = compileRegexMatcher(whole, "filter", faults);
  return faults[0]?.message ?? test;
}

async function* textLines(facts: StatsFacts, filter: Test | null, usedOnly: boolean): AsyncGenerator<string> {
  for await (const slice of slices(facts, filter, usedOnly)) {
    yield slice.map(({ name, value }) => `${name}: ${typeof value === "number" ? value : buckets(value)}\n`).join("");
  }
}

async function* jsonLines(facts: StatsFacts, filter: Test | null, usedOnly: boolean): AsyncGenerator<string> {
  let separator = "";
  const histograms: string[] = [];
  yield '{"stats":[';
  for await (const slice of slices(facts, filter, usedOnly)) {
    let text = "";
    for (const { name, value } of slice) {
      if (typeof value !== "number") histograms.push(JSON.stringify({ name, buckets: bucketList(value) }));
      else {
        text += separator + JSON.stringify({ name, value });
        separator = ",\n";
      }
    }
    yield text;
  }
  if (histograms.length > 0) yield `${separator}{"histograms":[${histograms.join(",\n")}]}`;
  yield "]}\n";
}

async function* slices(facts: StatsFacts, filter: Test | null, usedOnly: boolean): AsyncGenerator<Stat[]> {
  let slice: Stat[] = [];
  for (const stat of allStats(facts)) {
    if (usedOnly && !stat.used) continue;
    if (filter !== null && !filter(stat.name)) continue;
    slice.push(stat);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield slice;
}

function* allStats(facts: StatsFacts): Generator<Stat> {
  const { clusters } = facts.clusters;
  const { states } = facts.listeners;
  const process = facts.process();
  if (process !== null) yield* ownStats(processStats(process, clusters, states));
  yield* ownStats(clusterStats(clusters, process));
  yield* ownStats(listenerStats(states));
  const families = [...facts.metrics.families()].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const family of families) yield* familyStats(family);
}

function* familyStats(family: FamilyView): Generator<Stat> {
  for (const { labels, value, histogram, used } of family.entries()) {
    yield { name: statName(family.name, labels), value: histogram ?? value, used };
  }
}

function* ownStats(stats: Iterable<OwnStat>): Generator<Stat> {
  for (const stat of stats) yield { name: dottedName(stat), value: stat.value, used: stat.value !== 0 };
}

function bucketList(histogram: HistogramView) {
  let cumulative = 0;
  return histogram.counts.map((count, i) => {
    cumulative += count;
    return { upper_bound: histogram.bounds[i] ?? "+Inf", interval: count, cumulative };
  });
}

function buckets(histogram: HistogramView): string {
  return bucketList(histogram)
    .map(({ upper_bound, interval, cumulative }) => `B${upper_bound}(${interval},${cumulative})`)
    .join(" ");
}
