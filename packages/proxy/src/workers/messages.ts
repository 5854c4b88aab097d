import type { ResourceKind } from "../config/resource-kinds.ts";
import type { DrainRequest } from "../listener/drain-sequence.ts";
import type { SecretValue } from "../tls/secret-store.ts";
import type { ServicePart } from "../wasm/plugin-services.ts";

/** One accepted resource, in the encoding of its definition. */
export interface CarriedResource {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** What the control plane changed, as far as the primary accepted it. */
export interface CarriedUpdate {
  readonly kind: ResourceKind;
  readonly version: string;
  readonly resources: readonly CarriedResource[];
  readonly removed: readonly string[];
}

/** From the primary to a worker. The first message is `start`. */
export type ToWorker =
  | {
      readonly type: "start";
      readonly bootstrap: Uint8Array;
      readonly version: string;
      readonly dynamic: boolean;
      readonly services: ServicePart;
    }
  | { readonly type: "update"; readonly update: CarriedUpdate }
  /** Null: there is none, or no longer. Only by the channel between the processes, never by a disk. */
  | { readonly type: "secret"; readonly name: string; readonly value: SecretValue | null }
  | { readonly type: "drain"; readonly request: DrainRequest }
  | { readonly type: "reopen" }
  | { readonly type: "stop" }
  | {
      readonly type: "ask";
      readonly id: number;
      readonly path: string;
      readonly query: string;
      readonly accept: string;
    }
  | { readonly type: "next"; readonly id: number }
  | { readonly type: "cancel"; readonly id: number };

/** A listener of one worker. */
export interface WorkerListener {
  readonly name: string;
  readonly address: string;
  readonly error: string | null;
  readonly connections: number;
}

export interface WorkerState {
  readonly ready: boolean;
  readonly activeConnections: number;
  readonly listeners: readonly WorkerListener[];
  /** How many wishes to drain the worker has taken. */
  readonly drains: number;
}

/** From a worker to the primary. */
export type FromWorker =
  | { readonly type: "started" }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "state"; readonly state: WorkerState }
  /** The secrets that its configuration names; replaces what it named before. */
  | { readonly type: "wants"; readonly secrets: readonly string[] }
  | { readonly type: "answer"; readonly id: number; readonly status: number; readonly contentType: string }
  | { readonly type: "piece"; readonly id: number; readonly piece: Uint8Array | null }
  | { readonly type: "fault"; readonly id: number; readonly reason: string };

/** A worker process, as the primary sees it. */
export interface WorkerLink {
  readonly pid: number;
  /** Lost if the worker is gone. */
  send(message: ToWorker): void;
  kill(): void;
}

export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void;
  /** Once, with what ended it: `signal SIGKILL` or `status 1`. */
  readonly onExit: (reason: string) => void;
}

/** Starts a worker process. */
export type StartWorker = (events: WorkerEvents) => WorkerLink;
