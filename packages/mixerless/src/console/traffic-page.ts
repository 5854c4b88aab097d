import type { ReadProxy, Signals, TrafficEdge, TrafficPage, TrafficWorkload } from "@mixerless/console";
import {
  addTraffic,
  type Collector,
  type EdgeInWindow,
  edgeKey,
  isReporter,
  nothing,
  type Traffic,
  type TrafficWindow,
  type WindowAnswer,
} from "@mixerless/store";
import { golden } from "../view/golden.ts";
import { type ConnectedWorkload, concerns } from "../view/stat.ts";

/** Points of the small charts. */
const PARTS = 30;
const UNKNOWN = "unknown";

/** What the page shows of the last `seconds`. */
export function trafficPage(
  seconds: number,
  window: TrafficWindow,
  collector: Pick<Collector, "states" | "problem">,
  connected: readonly ConnectedWorkload[],
): TrafficPage {
  const answer = window.read(seconds * 1000, PARTS);
  const signals = (traffic: Traffic, parts: readonly Traffic[]) => signalsOf(traffic, parts, answer);
  return {
    seconds: answer.seconds,
    edges: edgesOf(answer.edges, signals),
    workloads: workloadsOf(answer, connected, signals),
    proxies: collector.states.map(
      ({ name, problem, samples, bytes }): ReadProxy => ({ name, problem, samples, bytes }),
    ),
    refused: answer.refused,
    problem: collector.problem,
  };
}

type SignalsOf = (traffic: Traffic, parts: readonly Traffic[]) => Signals;

/** Each edge once, with what its destination knows of how the calls came. */
function edgesOf(edges: readonly EdgeInWindow[], signals: SignalsOf): TrafficEdge[] {
  const received = new Map(
    edges.filter((edge) => edge.reporter === "destination").map((edge) => [edgeKey(edge), edge]),
  );
  const sorted = edges.filter(isReporter).sort((a, b) => (edgeKey(a) < edgeKey(b) ? -1 : 1));
  return sorted.map((edge) => {
    const { source, sourceNamespace, destination, destinationNamespace, service, reporter } = edge;
    const other = received.get(edgeKey({ ...edge, reporter: "destination" }))?.traffic;
    return {
      source: { name: source, namespace: sourceNamespace },
      destination: { name: destination, namespace: destinationNamespace },
      ...{ service, reporter },
      ...signals(edge.traffic, edge.parts),
      mutualTls: other === undefined ? mutualTlsOf(edge.traffic) : mutualTlsOf(other),
    };
  });
}

/** Connected workloads, and those that only others speak of. */
function workloadsOf(
  { edges, parts: times }: WindowAnswer,
  connected: readonly ConnectedWorkload[],
  signals: SignalsOf,
): TrafficWorkload[] {
  const known = new Set(connected.map(({ name, namespace }) => `${namespace}/${name}`));
  const others = new Map<string, ConnectedWorkload>();
  for (const { source, sourceNamespace, destination, destinationNamespace } of edges) {
    for (const [name, namespace] of [
      [source, sourceNamespace],
      [destination, destinationNamespace],
    ] as const) {
      const key = `${namespace}/${name}`;
      if (name !== UNKNOWN && !known.has(key)) others.set(key, { name, namespace, gateway: false });
    }
  }
  const all = [...connected.map((workload) => ({ workload, isConnected: true }))];
  for (const workload of others.values()) all.push({ workload, isConnected: false });
  return all.map(({ workload, isConnected }) => {
    const mine = edges.filter((edge) => concerns(edge, workload));
    const parts = times.map((_, part) => sum(mine.map((edge) => edge.parts[part] ?? nothing())));
    return { ...workload, connected: isConnected, ...signals(sum(mine.map(({ traffic }) => traffic)), parts) };
  });
}

function sum(all: readonly Traffic[]): Traffic {
  const total = nothing();
  for (const traffic of all) addTraffic(total, traffic);
  return total;
}

function signalsOf(traffic: Traffic, parts: readonly Traffic[], { seconds, parts: times }: WindowAnswer): Signals {
  const { requests, success, rps, p50, p90, p99, tcpConnections } = golden(traffic, seconds || null);
  return {
    ...{ requests, success, p50, p90, p99, tcpConnections },
    rps: rps ?? 0,
    bytesIn: perSecond(traffic.bytesIn, seconds),
    bytesOut: perSecond(traffic.bytesOut, seconds),
    mutualTls: mutualTlsOf(traffic),
    history: parts.map((part, index) => perSecond(part.requests, times[index] ?? 0)),
  };
}

function mutualTlsOf({ secured, mutualTls }: Traffic): number | null {
  return secured === 0 ? null : mutualTls / secured;
}

function perSecond(count: number, seconds: number): number {
  return seconds === 0 ? 0 : Number((count / seconds).toFixed(3));
}
