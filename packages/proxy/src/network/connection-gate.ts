import type { StreamInfo } from "../stream/stream-info.ts";

/** A network filter that decides whether a connection may go on, before anything is done for it. */
export interface ConnectionGate {
  /** Null: it may pass. Else the connection termination details of its end. */
  refusal(info: StreamInfo): string | null;
}
