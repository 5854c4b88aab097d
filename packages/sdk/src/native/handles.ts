import type { HeaderName, HeaderValue, Property, StateName } from "./names.ts";

/*
 * What a host gives to an extension that runs in process. A data plane implements these shapes structurally; it need not
 * import this package. They are classes rather than interfaces because extension sources import them by name and
 * AssemblyScript cannot parse a type-only import.
 *
 * All strings are byte strings: one character is one byte (0..255). All 64-bit values are doubles, exact to 2^53.
 * No method throws.
 */

/**
 * One series of a counter. A handle outlives its series: `add` after the series expired begins a new one at 0.
 */
export abstract class CounterHandle {
  /** Adds `n`. Negative values count as 0; adding 0 makes the series visible. */
  abstract add(n: f64): void;
}

/** One series of a gauge. */
export abstract class GaugeHandle {
  /** Sets it. Negative values count as 0. */
  abstract set(value: f64): void;
}

/** One series of a histogram. */
export abstract class HistogramHandle {
  /** Records a value. Negative values count as 0. */
  abstract record(value: f64): void;
}

/** A compiled CEL expression. */
export abstract class ExpressionHandle {
  /** The printed result for this stream, or null where evaluation fails (for instance an absent attribute). */
  abstract evaluate(stream: StreamHandle): string | null;
}

/** The host as a root context sees it: one configured instance of an extension. */
export abstract class RootHandle {
  /**
   * `name` is the full metric name; `labels` and `values` have equal length and fixed order. Values are byte strings:
   * a host that shows them as text decodes UTF-8. Equal arguments may give the same handle. The arrays stay the
   * caller's property after the call only if the host copies them; extensions never change them.
   */
  abstract counter(name: string, labels: string[], values: string[]): CounterHandle;
  /** As {@link counter}. A gauge that is made outside a stream does not expire. */
  abstract gauge(name: string, labels: string[], values: string[]): GaugeHandle;
  /** As {@link counter}. */
  abstract histogram(name: string, labels: string[], values: string[]): HistogramHandle;
  /**
   * Compiles a CEL expression. Null, after a log line: it does not parse, or calls functions that there are not. A host
   * without CEL gives a handle whose `evaluate` is always null, and logs that once.
   */
  abstract expression(text: string): ExpressionHandle | null;
  /** A property that needs no stream (`xds.node…`, `xds.listener_direction`, `plugin_root_id`); null if absent. */
  abstract rootString(property: Property): string | null;
  /** As {@link rootString} for numbers and booleans (0, 1). */
  abstract rootNumber(property: Property, missing: f64): f64;
  /** Wall-clock time, nanoseconds since the epoch. */
  abstract now(): f64;
  /** Levels: 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  abstract log(level: i32, message: string): void;
  /** Asks for `onTick` every `milliseconds`; 0 stops it. Replaces an earlier period. */
  abstract setTickPeriod(milliseconds: i32): void;
}

/** The host as a stream context sees it: one HTTP stream or one TCP connection. Header maps: see `REQUEST_HEADERS` and its neighbours. */
export abstract class StreamHandle {
  /**
   * Null where the attribute is absent. Attributes of other types print as CEL prints them: integers in decimal,
   * booleans as `true` and `false`.
   */
  abstract getString(property: Property): string | null;
  /** Integers, durations and time stamps in nanoseconds, booleans as 0 and 1; `missing` where the attribute is absent. */
  abstract getNumber(property: Property, missing: f64): f64;
  /** The first value of the header; null if it is absent or the map is not attached. */
  abstract getHeader(map: i32, name: HeaderName): string | null;
  /** Byte length of what {@link getHeader} would give, without making the string; −1 for null. */
  abstract headerSize(map: i32, name: HeaderName): i32;
  /** Sets the header to exactly this value. Ignored if the map is not attached or read-only. */
  abstract replaceHeader(map: i32, name: HeaderName, value: HeaderValue): void;
  /** Adds a header beside those of the same name. Ignored if the map is not attached or read-only. */
  abstract addHeader(map: i32, name: HeaderName, value: HeaderValue): void;
  /** Removes all entries of this name. Ignored if the map is not attached or read-only. */
  abstract removeHeader(map: i32, name: HeaderName): void;
  /**
   * Answers in place of the upstream. `headers` holds names and values in turn. Once per stream; later ones, and any after
   * the stream's end, are ignored.
   */
  abstract sendLocalReply(status: i32, body: string, headers: string[]): void;
  /** The bytes of a body that are at hand in its callback: those that were held back and those that have just come. */
  abstract getBody(response: boolean): string;
  /** Puts other bytes in their place. */
  abstract setBody(response: boolean, body: string): void;
  /** Goes on with what PAUSE has held back. */
  abstract resume(response: boolean): void;
  /**
   * Sends a request to a cluster; `headers` holds names and values in turn, with `:method`, `:path` and `:authority`. A
   * number that comes back with the answer, or 0 where the call can't begin.
   */
  abstract httpCall(cluster: string, headers: string[], body: string, milliseconds: i32): i32;
  /** A header of the answer, while it is handed over; null if it is absent. */
  abstract getCallHeader(name: HeaderName): string | null;
  /** The body of the answer, while it is handed over. */
  abstract getCallBody(): string;
  /** Filter state. The string comes back as it was set, by reference. */
  abstract getState(name: StateName): string | null;
  /** The first writer wins: a second value for the same name is ignored. */
  abstract setState(name: StateName, value: string): void;
}
