import type { Any } from "@bufbuild/protobuf/wkt";
import type { ErrorDetail } from "../messages.ts";
import { formatRefusal, type ResourceFault } from "../refusal.ts";
import { resourceType } from "../resource-types.ts";
import { StatusCode } from "../status-code.ts";

/** What a client wants of one type: these names, or everything that there is. */
export type Wanted = ReadonlySet<string> | "*";

export interface ReceivedResource {
  readonly name: string;
  /** Of the resource (delta) or of the whole response (state of the world). */
  readonly version: string;
  readonly any: Any;
}

/** One response, in the words that both protocols share. */
export interface ResourceUpdate {
  readonly typeUrl: string;
  readonly systemVersion: string;
  readonly resources: readonly ReceivedResource[];
  /** Names that the control plane says do not exist, or no longer. */
  readonly removed: readonly string[];
}

/** Takes an update in; answers what it refused. May change what is wanted while it does. */
export type UpdateHandler = (update: ResourceUpdate) => readonly ResourceFault[];

/**
 * One stream's worth of protocol, without the stream: says what is to be sent, in order. `node` is added
 * to the first request by whoever owns the stream.
 */
export interface ClientProtocol<Request, Response> {
  /** A new stream is open: everything that is to be asked anew. */
  connected(): Request[];
  /** The stream is gone. What was received stays known. */
  disconnected(): void;
  /** Replaces what is wanted of a type. Nothing is sent while there is no stream. */
  want(typeUrl: string, wanted: Wanted): Request[];
  received(response: Response): Request[];
  /** Takes in what an earlier run received. Only while there is no stream. */
  restore(update: ResourceUpdate): void;
  /** What tells the server how the workload behind the proxy is [control-plane §5.1]. */
  health(error: ErrorDetail | undefined): Request;
  /** Per type: what is wanted and what was accepted of it. */
  readonly subscriptions: ReadonlyMap<string, SubscriptionView>;
}

export interface SubscriptionView {
  readonly wanted: Wanted;
  /** Name → version of what was accepted. */
  readonly known: ReadonlyMap<string, string>;
  /** Version of the last response that was accepted without a fault, "" before. */
  readonly acceptedVersion: string;
  /** Why the last response was refused in part, or null. */
  readonly lastError: string | null;
}

/** The error detail of an answer: nothing for an ACK, every refused resource with its reason for a NACK. */
export function refusal(faults: readonly ResourceFault[]): ErrorDetail | undefined {
  return faults.length === 0 ? undefined : { code: StatusCode.invalidArgument, message: formatRefusal(faults) };
}

/** Types first whose resources others name [control-plane §5.5]. */
export function inOrder(typeUrls: Iterable<string>): string[] {
  return [...typeUrls].sort((a, b) => resourceType(a).order - resourceType(b).order);
}

export function wants(wanted: Wanted, name: string): boolean {
  return wanted === "*" || wanted.has(name);
}

export function namesOf(wanted: Wanted): ReadonlySet<string> {
  return wanted === "*" ? new Set(["*"]) : wanted;
}
