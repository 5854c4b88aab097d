import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import type { Nack, ResponseStamp } from "./ack-ledger.ts";
import type { Watch } from "./watch.ts";

/**
 * How far a client is with one type. `not-sent`: nothing was due. `stale`: a response waits for its
 * answer. `error`: the last answer, or a resource's last version, was a refusal.
 */
export type SyncState = "not-sent" | "synced" | "stale" | "error";

/** One type on one stream, as `/debug/syncz` shows it. */
export interface WatchStatus {
  readonly typeUrl: string;
  readonly wildcard: boolean;
  /** Names that the client asked for; those that a wildcard brought are in `resources`. */
  readonly names: readonly string[];
  readonly state: SyncState;
  readonly sent: ResponseStamp | null;
  readonly acked: ResponseStamp | null;
  readonly nacked: Nack | null;
  /** Number of resources that the client holds. */
  readonly held: number;
  /** Resources whose last version was refused. */
  readonly refused: ReadonlyMap<string, Nack>;
  /** Why this server could not generate the type, or null. */
  readonly internalError: string | null;
}

/** One resource that a client was sent. */
export interface ResourceStatus {
  readonly name: string;
  /** Content version. */
  readonly version: string;
  readonly state: "acked" | "sent" | "nacked";
  readonly nack: Nack | null;
}

export interface ConnectionStatus {
  readonly connectionId: string;
  readonly node: Node;
  readonly mode: "sotw" | "delta";
  readonly peerAddress: string;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  readonly watches: readonly WatchStatus[];
}

export function watchStatus(watch: Watch): WatchStatus {
  const { acks } = watch;
  return {
    typeUrl: watch.type.typeUrl,
    wildcard: watch.wildcard,
    names: [...watch.names],
    state: syncState(watch),
    sent: acks.sent,
    acked: acks.acked,
    nacked: acks.nacked,
    held: watch.held.size,
    refused: new Map(acks.refused),
    internalError: watch.internalError,
  };
}

export function resourceStatuses(watch: Watch): ResourceStatus[] {
  const waiting = watch.acks.waitingNames();
  return Array.from(watch.held, ([name, version]) => {
    const nack = watch.acks.refused.get(name) ?? null;
    const state = waiting.has(name) ? "sent" : nack === null ? "acked" : "nacked";
    return { name, version, state, nack };
  });
}

function syncState(watch: Watch): SyncState {
  const { acks } = watch;
  if (acks.sent === null) return "not-sent";
  if (acks.nacked !== null || acks.refused.size > 0) return "error";
  return acks.acked?.nonce === acks.sent.nonce ? "synced" : "stale";
}
