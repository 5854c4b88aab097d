import type { Resource } from "../config/platform.ts";
import type { Labels } from "./log-labels.ts";

/** What all entries of a log have in common. */
export interface LogIdentity {
  readonly project: string;
  readonly name: "server-accesslog-stackdriver" | "client-accesslog-stackdriver";
  readonly resource: Resource;
  readonly labels: Labels;
}
