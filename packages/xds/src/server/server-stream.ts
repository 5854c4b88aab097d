import type { Clock } from "@mixerless/clock";
import type { ErrorDetail } from "../messages.ts";
import { TypeUrl } from "../resource-types.ts";
import { type RefusedStream, StatusCode } from "../status-code.ts";
import type { Nack } from "./ack-ledger.ts";
import type { PushVersions } from "./push-versions.ts";
import type { ChangedResources, GeneratedResource, GeneratedResources, ProxySession } from "./resource-source.ts";
import type { Watch } from "./watch.ts";
import type { StreamLimits, WatchTable } from "./watch-table.ts";

/** What a stream's state machine needs from around it. */
export interface StreamContext {
  readonly session: ProxySession;
  readonly versions: PushVersions;
  /** For time stamps; the machines set no timers. */
  readonly clock: Clock;
  readonly limits: StreamLimits;
  /** Told when the session threw while it generated a type. */
  readonly onInternalError: (typeUrl: string, error: unknown) => void;
}

/** What a request turned out to be, for metrics and logs. */
export interface RequestOutcome {
  readonly answer: "ack" | "nack" | "stale" | "none";
  readonly nack?: Nack;
  /** The stream must end with this. */
  readonly fault?: RefusedStream;
}

export interface Outgoing<Response> {
  readonly response: Response;
  readonly typeUrl: string;
  readonly resources: number;
  readonly removed: number;
  /** Bytes of the resources. */
  readonly bytes: number;
}

/**
 * The server's side of one stream, without the stream: requests and pushes change what is due, and
 * `poll` is called whenever the transport can take a message. Nothing queues, so a client that reads
 * slowly gets the newest state when it is ready.
 */
export interface ServerStream<Request, Response> {
  readonly watches: WatchTable;
  onRequest(request: Request): RequestOutcome;
  /** Notes what may have changed; `version` names the push in the responses that come of it. */
  push(changed: ChangedResources, version: string): void;
  poll(): Outgoing<Response> | null;
}

export const silent: RequestOutcome = { answer: "none" };

/** The agent of a VM reports health as an error of a type that is never served [control-plane §5.1]. */
export function reportHealth(session: ProxySession, typeUrl: string, error: ErrorDetail | undefined): boolean {
  if (typeUrl !== TypeUrl.health) return false;
  session.onHealth?.(error === undefined, error?.message ?? "");
  return true;
}

export function refuse(message: string, code: number = StatusCode.resourceExhausted): RequestOutcome {
  return { answer: "none", fault: { code, message } };
}

/** Asks the session for resources; a type that it can't generate is passed over until its next push. */
export function generate(
  context: StreamContext,
  watch: Watch,
  names: ReadonlySet<string> | "all",
): GeneratedResources | undefined {
  const { typeUrl } = watch.type;
  try {
    const generated = names === "all" ? generateAll(context.session, watch) : context.session.generate(typeUrl, names);
    watch.internalError = null;
    return generated;
  } catch (error) {
    watch.internalError = error instanceof Error ? error.message : String(error);
    context.onInternalError(typeUrl, error);
    return undefined;
  }
}

function generateAll(session: ProxySession, watch: Watch): GeneratedResources | undefined {
  const { typeUrl } = watch.type;
  if (!watch.wildcard) return session.generate(typeUrl, watch.names);
  const everything = session.generate(typeUrl, "wildcard");
  if (everything === undefined || watch.names.size === 0) return everything;
  return new Map<string, GeneratedResource>([...everything, ...(session.generate(typeUrl, watch.names) ?? [])]);
}

/**
 * Sends the endpoints of clusters again that were just sent with another content: a client that
 * replaces a cluster waits for its endpoints, and need not ask for a name that it watches already.
 */
export function followWithEndpoints(watches: WatchTable, clusters: Iterable<[string, GeneratedResource]>): void {
  const endpoints = watches.get(TypeUrl.endpoint);
  if (endpoints === undefined) return;
  for (const [name, cluster] of clusters) {
    const endpointName = cluster.endpointName ?? name;
    if (endpoints.names.has(endpointName)) endpoints.requested.add([endpointName]);
  }
}

export function resourceBytes(name: string, resource: GeneratedResource): number {
  return name.length + resource.version.length + resource.any.typeUrl.length + resource.any.value.length + 32;
}
