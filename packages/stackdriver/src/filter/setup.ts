import type { PeerWatch } from "@mixerless/extensions";
import type { AccessLog } from "../logs/access-log.ts";
import type { Attributes } from "./attributes.ts";
import type { Measurements } from "./measurements.ts";

/** Everything that one configuration needs per stream. */
export interface Setup {
  readonly attributes: Attributes;
  readonly peers: PeerWatch;
  readonly measurements: Measurements;
  readonly log: AccessLog;
  /** Milliseconds that a connection's peer is waited for. */
  readonly patience: number;
}
