import type { Any } from "@bufbuild/protobuf/wkt";
import type { ErrorDetail } from "../messages.ts";
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
  readonly removed: readonly string[];
}

/** Why one resource of an update was not taken. The others of the update count as taken. */
export interface ResourceFault {
  readonly name: string;
  /** Names the field and the reason. */
  readonly message: string;
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
}

/** The error detail of an answer: nothing for an ACK, every refused resource with its reason for a NACK. */
export function refusal(faults: readonly ResourceFault[]): ErrorDetail | undefined {
  return faults.length === 0 ? undefined : { code: StatusCode.invalidArgument, message: describeFaults(faults) };
}

function describeFaults(faults: readonly ResourceFault[]): string {
  const shown = faults.slice(0, MAX_FAULTS).map((fault) => `${fault.name}: ${fault.message}`);
  const more = faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : [];
  return [...shown, ...more].join("; ").slice(0, MAX_DETAIL);
}

const MAX_FAULTS = 20;
/** gRPC carries it in every copy of the answer; a page of text is enough for people. */
const MAX_DETAIL = 4000;

/** Types first whose resources others name [control-plane §5.5]. */
export function inOrder(typeUrls: Iterable<string>, orderOf: (typeUrl: string) => number): string[] {
  return [...typeUrls].sort((a, b) => orderOf(a) - orderOf(b));
}
