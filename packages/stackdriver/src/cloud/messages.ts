// The definitions of the cloud's messages and gRPC, which a proxy without an export does without (100 ms, 4 MB).
export { encodeLogEntries } from "../logs/write-log-entries.ts";
export { encodeTimeSeries } from "../metrics/time-series.ts";
