import type { Clock } from "@mixerless/clock";
import type { StreamInfo } from "../../../stream/stream-info.ts";
import { type Operator, type OperatorTable, plain } from "../operator.ts";
import { createIsoFormat, createTimeFormat, type TimeFormat } from "../time-format.ts";

type Point = (info: StreamInfo) => number | null;

/** The points that COMMON_DURATION names. Without a hook for the end of the TLS handshake, US_HS_END is US_CX_END. */
const POINTS: Readonly<Record<string, Point>> = {
  DS_RX_BEG: (info) => info.started,
  DS_RX_END: (info) => info.requestReceived,
  US_CX_BEG: () => null,
  US_CX_END: (info) => info.upstreamConnected,
  US_HS_END: (info) => info.upstreamConnected,
  US_TX_BEG: (info) => info.upstreamFirstByteSent,
  US_TX_END: (info) => info.upstreamLastByteSent,
  US_RX_BEG: (info) => info.upstreamResponseStarted,
  US_RX_BODY_BEG: () => null,
  US_RX_END: (info) => info.upstreamResponseEnded,
  DS_TX_BEG: (info) => info.responseStarted,
  DS_TX_END: (info) => info.ended,
};

const PER_MILLISECOND: Readonly<Record<string, number>> = { ms: 1, us: 1e3, ns: 1e6 };

/** Times of day and durations in milliseconds [telemetry §6.3]. */
export function timeOperators(clock: Clock): OperatorTable {
  const end = between(
    (info) => info.started,
    (info) => info.ended ?? clock.monotonic(),
  );
  return {
    START_TIME: timeOfDay((info) => info.startTime, false),
    START_TIME_LOCAL: timeOfDay((info) => info.startTime, true),
    EMIT_TIME: timeOfDay(() => clock.now(), false),
    EMIT_TIME_LOCAL: timeOfDay(() => clock.now(), true),
    DURATION: plain(end),
    REQUEST_DURATION: plain(
      between(
        (i) => i.started,
        (i) => i.requestReceived,
      ),
    ),
    REQUEST_TX_DURATION: plain(
      between(
        (i) => i.started,
        (i) => i.upstreamLastByteSent,
      ),
    ),
    RESPONSE_DURATION: plain(
      between(
        (i) => i.started,
        (i) => i.upstreamResponseStarted,
      ),
    ),
    RESPONSE_TX_DURATION: plain(
      between(
        (i) => i.upstreamResponseStarted,
        (i) => i.ended,
      ),
    ),
    UPSTREAM_CONNECTION_POOL_READY_DURATION: plain(
      between(
        (i) => i.started,
        (i) => i.upstreamConnected,
      ),
    ),
    ROUNDTRIP_DURATION: plain(() => null),
    DOWNSTREAM_HANDSHAKE_DURATION: plain(() => null),
    COMMON_DURATION: commonDuration,
  };
}

function timeOfDay(point: (info: StreamInfo) => number, local: boolean) {
  return (args: string | null): Operator | string => {
    let format: TimeFormat = createIsoFormat();
    if (args !== null && args !== "") {
      const made = createTimeFormat(args, local);
      if (typeof made !== "function") return made.fault;
      format = made;
    } else if (local) {
      const made = createTimeFormat("%Y-%m-%dT%H:%M:%S.%3f%z", true);
      if (typeof made === "function") format = made;
    }
    return (info) => format(point(info));
  };
}

function between(from: Point, to: Point, scale = 1): Operator {
  return (info) => {
    const start = from(info);
    const end = to(info);
    return start === null || end === null ? null : Math.floor((end - start) * scale);
  };
}

function commonDuration(args: string | null): Operator | string {
  const [from, to, precision = "ms"] = (args ?? "").split(":");
  const start = POINTS[from ?? ""];
  const end = POINTS[to ?? ""];
  const scale = PER_MILLISECOND[precision];
  if (start === undefined || end === undefined) return `takes START:END of ${Object.keys(POINTS).join(", ")}`;
  if (scale === undefined) return "takes the precision ms, us or ns";
  return between(start, end, scale);
}
