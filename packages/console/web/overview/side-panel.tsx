import { useEffect, useRef } from "react";
import type { Signals, TrafficEdge, TrafficPage } from "../../src/api.ts";
import { healthOf } from "../parts/health.ts";
import { bytesPerSecond, count, milliseconds, NONE, rate, share } from "../parts/numbers.ts";
import { useText } from "../parts/settings.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { edgeKeyOf, keyOf } from "./graph-layout.ts";
import type { Selection } from "./selection.ts";

interface Props {
  readonly page: TrafficPage;
  readonly selection: Selection;
  onSelect(selection: Selection | null): void;
}

/** The numbers of what was chosen; Escape closes it. */
export function SidePanel({ page, selection, onSelect }: Props) {
  const text = useText();
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), [selection.key]);
  const { title, notes, signals, incoming, outgoing } = detailsOf(page, selection, text);
  return (
    <aside
      className="panel"
      aria-label={title}
      tabIndex={-1}
      ref={panel}
      onKeyDown={({ key }) => key === "Escape" && onSelect(null)}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" onClick={() => onSelect(null)} aria-label={text("close")}>
          ×
        </button>
      </header>
      {notes.map((note) => (
        <p key={note} className="note">
          {note}
        </p>
      ))}
      {signals !== null && <SignalList signals={signals} />}
      <EdgeList title={text("incoming")} edges={incoming} other="source" onSelect={onSelect} />
      <EdgeList title={text("outgoing")} edges={outgoing} other="destination" onSelect={onSelect} />
    </aside>
  );
}

interface Details {
  readonly title: string;
  readonly notes: readonly string[];
  readonly signals: Signals | null;
  readonly incoming: readonly TrafficEdge[];
  readonly outgoing: readonly TrafficEdge[];
}

function detailsOf(
  { edges, workloads }: TrafficPage,
  { kind, key }: Selection,
  text: ReturnType<typeof useText>,
): Details {
  if (kind === "edge") {
    const edge = edges.find((one) => edgeKeyOf(one) === key);
    const [from = "", to = "", service = ""] = key.split(" ");
    const notes = [service];
    if (edge !== undefined) notes.push(text(edge.reporter === "source" ? "reportedBySource" : "reportedByDestination"));
    return { title: `${lastOf(from)} → ${lastOf(to)}`, notes, signals: edge ?? null, incoming: [], outgoing: [] };
  }
  const workload = workloads.find((one) => keyOf(one) === key);
  const namespace = key.split("/")[0] ?? "";
  const notes = [namespace, ...(workload?.connected ? [] : [text("notConnected")])];
  return {
    title: lastOf(key),
    notes,
    signals: workload ?? null,
    incoming: edges.filter((edge) => keyOf(edge.destination) === key),
    outgoing: edges.filter((edge) => keyOf(edge.source) === key),
  };
}

function lastOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

function SignalList({ signals }: { readonly signals: Signals }) {
  const text = useText();
  const rows: readonly (readonly [string, string])[] = [
    [text("requests"), count(signals.requests)],
    [text("rate"), rate(signals.rps)],
    [text("success"), share(signals.success)],
    [text("p50"), milliseconds(signals.p50)],
    [text("p90"), milliseconds(signals.p90)],
    [text("p99"), milliseconds(signals.p99)],
    [text("bytesIn"), bytesPerSecond(signals.bytesIn)],
    [text("bytesOut"), bytesPerSecond(signals.bytesOut)],
    [text("tcp"), signals.tcpConnections === 0 ? NONE : count(signals.tcpConnections)],
    [text("mutualTls"), share(signals.mutualTls)],
  ];
  const health = healthOf(signals);
  return (
    <>
      <p>
        <span className={`dot ${health}`} aria-hidden="true" /> {text(health)}
      </p>
      <Sparkline values={signals.history} label={`${text("history")}: ${text("rate")}`} />
      <dl>
        {rows.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

interface EdgeListProps {
  readonly title: string;
  readonly edges: readonly TrafficEdge[];
  /** The end that is named. */
  readonly other: "source" | "destination";
  onSelect(selection: Selection): void;
}

function EdgeList({ title, edges, other, onSelect }: EdgeListProps) {
  if (edges.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {edges.map((edge) => (
          <li key={edgeKeyOf(edge)}>
            <button type="button" className="link" onClick={() => onSelect({ kind: "edge", key: edgeKeyOf(edge) })}>
              {edge[other].name}
            </button>
            <span>
              {rate(edge.rps)}/s · {share(edge.success)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
