import { latency, type Traffic } from "@mixerless/store";

/** The golden signals of some traffic, as numbers. `null`: no requests. */
export interface Golden {
  readonly requests: number;
  /** Share of the requests, 0 to 1. */
  readonly success: number | null;
  /** Requests a second; null for totals. */
  readonly rps: number | null;
  /** Milliseconds. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly tcpConnections: number;
}

export const GOLDEN_HEADER = ["SUCCESS", "RPS", "LATENCY_P50", "LATENCY_P90", "LATENCY_P99", "REQUESTS", "TCP_CONN"];

/** `seconds` is the length of the window; null for totals since the proxies started. */
export function golden(traffic: Traffic, seconds: number | null): Golden {
  const { requests, failures, tcpConnections } = traffic;
  return {
    requests,
    success: requests === 0 ? null : (requests - failures) / requests,
    rps: seconds === null ? null : round(requests / seconds, 3),
    p50: latencyOf(traffic, 0.5),
    p90: latencyOf(traffic, 0.9),
    p99: latencyOf(traffic, 0.99),
    tcpConnections,
  };
}

export function goldenCells({ success, rps, p50, p90, p99, requests, tcpConnections }: Golden): string[] {
  return [
    success === null ? "-" : `${(success * 100).toFixed(2)}%`,
    rps === null ? "-" : `${rps.toFixed(1)}rps`,
    ...[p50, p90, p99].map((value) => (value === null ? "-" : `${value.toFixed(value < 10 ? 1 : 0)}ms`)),
    String(requests),
    String(tcpConnections),
  ];
}

function latencyOf(traffic: Traffic, q: number): number | null {
  const value = latency(traffic, q);
  return value === null ? null : round(value, 3);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
