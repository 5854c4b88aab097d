import { VirtualClock } from "@mixerless/clock";
import type { DeltaRequest, DeltaResponse, SotwRequest, SotwResponse } from "../src/messages.ts";
import { DeltaStream } from "../src/server/delta-stream.ts";
import { MapSource } from "../src/server/map-source.ts";
import { PushVersions } from "../src/server/push-versions.ts";
import type { ProxySession } from "../src/server/resource-source.ts";
import type { RequestOutcome, ServerStream } from "../src/server/server-stream.ts";
import { SotwStream } from "../src/server/sotw-stream.ts";
import { defaultStreamLimits, type StreamLimits } from "../src/server/watch-table.ts";
import { contentOf, EDS, RDS, resource } from "./resources.ts";

/** A response in the words that both protocols share. */
export interface Seen {
  typeUrl: string;
  /** Resource names, sorted. */
  names: string[];
  removed: string[];
  /** Name → content. */
  contents: Record<string, string>;
  version: string;
  nonce: string;
}

/** A client's hand on one server machine; each protocol says the same things in its own way. */
export interface StreamDriver {
  readonly stream: ServerStream<never, unknown>;
  /** First request of a type on a stream. No names: everything. */
  begin(typeUrl: string, names?: string[]): Seen[];
  /** Asks for more names, in the middle of a stream. */
  add(typeUrl: string, names: string[]): Seen[];
  /** Asks for fewer names. */
  remove(typeUrl: string, names: string[]): Seen[];
  ack(seen: Seen): Seen[];
  nack(seen: Seen, message: string): Seen[];
  /** Answers a response of long ago. */
  ackStale(typeUrl: string): Seen[];
  push(): Seen[];
  outcome: RequestOutcome | null;
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly versions: PushVersions;
  readonly source: MapSource;
  /** Failures to generate, as reported. */
  readonly errors: string[];
  connect(session?: ProxySession, limits?: Partial<StreamLimits>): StreamDriver;
}

export type Mode = "sotw" | "delta";

/** A server's inside for one protocol, over resources that a test sets. */
export function createBench(mode: Mode): Bench {
  const clock = new VirtualClock();
  const versions = new PushVersions(clock);
  const missing = (typeUrl: string, name: string) =>
    typeUrl === EDS || typeUrl === RDS ? resource(typeUrl, name) : undefined;
  const source = new MapSource(missing);
  const errors: string[] = [];
  const connect = (session: ProxySession = source.open(), limits: Partial<StreamLimits> = {}) => {
    const context = {
      session,
      versions,
      clock,
      limits: { ...defaultStreamLimits, ...limits },
      onInternalError: (typeUrl: string) => errors.push(typeUrl),
    };
    return mode === "sotw" ? sotwDriver(new SotwStream(context), bench) : deltaDriver(new DeltaStream(context), bench);
  };
  const bench = { clock, versions, source, errors, connect };
  return bench;
}

export interface SotwDriver extends StreamDriver {
  send(request: Partial<SotwRequest> & { typeUrl: string }): Seen[];
}

export interface DeltaDriver extends StreamDriver {
  send(request: Partial<DeltaRequest> & { typeUrl: string }): Seen[];
}

function sotwDriver(stream: SotwStream, bench: Bench): SotwDriver {
  const names = new Map<string, string[]>();
  const nonces = new Map<string, string>();
  const drain = () => drainStream(stream, sotwSeen, (seen) => nonces.set(seen.typeUrl, seen.nonce));
  const send: SotwDriver["send"] = (request) => {
    driver.outcome = stream.onRequest({ versionInfo: "", resourceNames: [], responseNonce: "", ...request });
    return drain();
  };
  const resend = (typeUrl: string) =>
    send({ typeUrl, resourceNames: names.get(typeUrl) ?? [], responseNonce: nonces.get(typeUrl) ?? "" });
  const driver: SotwDriver = {
    stream: stream as unknown as ServerStream<never, unknown>,
    outcome: null,
    send,
    begin: (typeUrl, wanted = []) => {
      names.set(typeUrl, wanted);
      return send({ typeUrl, resourceNames: wanted });
    },
    add: (typeUrl, more) => {
      names.set(typeUrl, [...(names.get(typeUrl) ?? []), ...more]);
      return resend(typeUrl);
    },
    remove: (typeUrl, fewer) => {
      names.set(
        typeUrl,
        (names.get(typeUrl) ?? []).filter((name) => !fewer.includes(name)),
      );
      return resend(typeUrl);
    },
    ack: ({ typeUrl, nonce, version }) =>
      send({ typeUrl, resourceNames: names.get(typeUrl) ?? [], responseNonce: nonce, versionInfo: version }),
    nack: ({ typeUrl, nonce }, message) =>
      send({
        typeUrl,
        resourceNames: names.get(typeUrl) ?? [],
        responseNonce: nonce,
        errorDetail: { code: 3, message },
      }),
    ackStale: (typeUrl) => send({ typeUrl, resourceNames: names.get(typeUrl) ?? [], responseNonce: "of long ago" }),
    push: () => {
      stream.push(bench.source.takeChanges(), bench.versions.advance());
      return drain();
    },
  };
  return driver;
}

function deltaDriver(stream: DeltaStream, bench: Bench): DeltaDriver {
  const drain = () => drainStream(stream, deltaSeen, () => {});
  const send: DeltaDriver["send"] = (request) => {
    driver.outcome = stream.onRequest({
      resourceNamesSubscribe: [],
      resourceNamesUnsubscribe: [],
      initialResourceVersions: {},
      responseNonce: "",
      ...request,
    });
    return drain();
  };
  const driver: DeltaDriver = {
    stream: stream as unknown as ServerStream<never, unknown>,
    outcome: null,
    send,
    begin: (typeUrl, names = []) => send({ typeUrl, resourceNamesSubscribe: names }),
    add: (typeUrl, names) => send({ typeUrl, resourceNamesSubscribe: names }),
    remove: (typeUrl, names) => send({ typeUrl, resourceNamesUnsubscribe: names }),
    ack: ({ typeUrl, nonce }) => send({ typeUrl, responseNonce: nonce }),
    nack: ({ typeUrl, nonce }, message) => send({ typeUrl, responseNonce: nonce, errorDetail: { code: 3, message } }),
    ackStale: (typeUrl) => send({ typeUrl, responseNonce: "of long ago" }),
    push: () => {
      stream.push(bench.source.takeChanges(), bench.versions.advance());
      return drain();
    },
  };
  return driver;
}

function drainStream<Response>(
  stream: ServerStream<never, Response>,
  read: (response: Response) => Seen,
  onSeen: (seen: Seen) => void,
): Seen[] {
  const seen: Seen[] = [];
  for (let next = stream.poll(); next !== null; next = stream.poll()) seen.push(read(next.response));
  seen.forEach(onSeen);
  return seen;
}

function sotwSeen(response: SotwResponse): Seen {
  const { typeUrl, versionInfo: version, nonce, resources } = response;
  const contents = Object.fromEntries(resources.map((any) => [nameOf(any.value), contentOf(any)]));
  return { typeUrl, names: Object.keys(contents).sort(), removed: [], contents, version, nonce };
}

function deltaSeen(response: DeltaResponse): Seen {
  const { typeUrl, systemVersionInfo: version, nonce, resources, removedResources } = response;
  const contents = Object.fromEntries(resources.map(({ name, resource: any }) => [name, contentOf(any)]));
  return {
    typeUrl,
    names: Object.keys(contents).sort(),
    removed: [...removedResources].sort(),
    contents,
    version,
    nonce,
  };
}

function nameOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(2, 2 + (bytes[1] ?? 0)));
}
