/** Takes finished lines, newline included, as byte strings. Never blocks and never throws: what does not fit is dropped and counted. */
export interface AccessLogSink {
  write(line: string): void;
}

/** Where access logs go. One sink per path, shared by every logger that names it, kept while the proxy lives. */
export interface AccessLogSinks {
  /** `path` as configured, `/dev/stdout` and `/dev/stderr` included. */
  file(path: string): AccessLogSink;
}
