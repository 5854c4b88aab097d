import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/**
 * The headers that every service copies from the request it received to the requests it makes.
 *
 * A sidecar sees both requests, but only the application knows that one was made because of the other:
 * without these the trace of a page view falls apart into unrelated pieces, and routing by user stops
 * at the first hop.
 */
export const propagatedHeaders: readonly string[] = [
  "x-request-id",
  // Lightstep, Datadog
  "x-ot-span-context",
  "x-datadog-trace-id",
  "x-datadog-parent-id",
  "x-datadog-sampling-priority",
  // W3C trace context
  "traceparent",
  "tracestate",
  // Google Cloud, OpenCensus
  "x-cloud-trace-context",
  "grpc-trace-bin",
  // Zipkin
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  // SkyWalking
  "sw8",
  // Who is asking
  "end-user",
  "user-agent",
  "cookie",
  "authorization",
  "jwt",
];

/** The headers of `incoming` that go along with every request made on its behalf. */
export function propagate(incoming: IncomingHttpHeaders): OutgoingHttpHeaders {
  const outgoing: OutgoingHttpHeaders = {};
  for (const name of propagatedHeaders) {
    const value = incoming[name];
    if (value !== undefined) outgoing[name] = value;
  }
  return outgoing;
}
