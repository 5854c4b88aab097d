import type { Labels } from "./log-labels.ts";

/** An entry of a log as it waits to be sent: encoding it is no work for the end of a request. */
export interface LogLine {
  readonly insertId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Labels that many entries share, under those of this one. */
  readonly shared: Labels;
  readonly labels: Labels;
  /** Of a connection. */
  readonly text?: string;
  readonly request?: RequestLine;
  readonly trace?: TraceLine | null;
}

export interface RequestLine {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly userAgent: string;
  readonly referer: string;
  readonly remote: string;
  readonly server: string;
  readonly protocol: string;
  /** Nanoseconds; −1 where it isn't known. */
  readonly latency: number;
}

/** Where a request belongs in a trace, as Zipkin's headers have it. */
export interface TraceLine {
  readonly trace: string;
  readonly spanId: string;
}

/** What a line costs beside its texts, in memory or on the wire. */
const FIXED = 512;

/** At least the bytes of a line on the wire, and about what it costs to keep it. */
export function sizeOf({ shared, labels, request, text = "" }: LogLine): number {
  let size = FIXED + byteLength(text);
  for (const some of [shared, labels]) for (const name in some) size += name.length + byteLength(some[name] ?? "") + 8;
  if (request === undefined) return size;
  return (
    size +
    byteLength(request.method) +
    byteLength(request.url) +
    byteLength(request.userAgent) +
    byteLength(request.referer)
  );
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
