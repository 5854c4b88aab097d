import type { SotwRequest, SotwResponse } from "../messages.ts";
import { resourceType, TypeUrl } from "../resource-types.ts";
import { StatusCode } from "../status-code.ts";
import type { ChangedResources, GeneratedResource, GeneratedResources } from "./resource-source.ts";
import {
  followWithEndpoints,
  generate,
  type Outgoing,
  type RequestOutcome,
  refuse,
  reportHealth,
  resourceBytes,
  type ServerStream,
  type StreamContext,
  silent,
} from "./server-stream.ts";
import type { Watch } from "./watch.ts";
import { WatchTable } from "./watch-table.ts";

/** The state-of-the-world protocol, server side [control-plane §5.3]. */
export class SotwStream implements ServerStream<SotwRequest, SotwResponse> {
  readonly watches: WatchTable;
  readonly #context: StreamContext;
  #version: string;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#version = context.versions.current;
    this.watches = new WatchTable(context.limits);
  }

  onRequest(request: SotwRequest): RequestOutcome {
    const { typeUrl, resourceNames, responseNonce, errorDetail } = request;
    if (typeUrl === "") return refuse("the request names no resource type (type_url)", StatusCode.invalidArgument);
    if (reportHealth(this.#context.session, typeUrl, errorDetail)) return silent;
    const watch = this.watches.get(typeUrl);
    if (errorDetail !== undefined) return this.#onNack(request, watch);
    if (endsWatch(watch, typeUrl, resourceNames)) {
      this.watches.delete(typeUrl);
      return silent;
    }
    const refusal = this.watches.refusal(typeUrl, resourceNames);
    if (refusal !== null) return refuse(refusal);
    if (watch === undefined || responseNonce === "") return this.#begin(typeUrl, resourceNames);
    if (watch.acks.onAck(responseNonce, this.#context.clock.now()) !== "current") return { answer: "stale" };
    const added = adoptNames(watch, resourceNames);
    if (watch.answerNextAck) watch.requested.addAll();
    else watch.requested.add(added);
    watch.answerNextAck = false;
    return { answer: "ack" };
  }

  push(changed: ChangedResources, version: string): void {
    this.#version = version;
    for (const watch of this.watches) {
      const names = changed.get(watch.type.typeUrl);
      if (names !== undefined) watch.markChanged(names);
    }
  }

  poll(): Outgoing<SotwResponse> | null {
    for (;;) {
      const next = this.watches.nextDue();
      if (next === null) return null;
      const outgoing = this.#respond(next.watch, next.includeChanged);
      if (outgoing !== null) return outgoing;
    }
  }

  #onNack(request: SotwRequest, watch: Watch | undefined): RequestOutcome {
    if (watch === undefined || request.errorDetail === undefined) return { answer: "nack" };
    const current = watch.acks.which(request.responseNonce) === "current";
    const nack = watch.acks.onNack(request.responseNonce, request.errorDetail, this.#context.clock.now());
    // A refusal may carry new names (gRPC merges the two): those are answered, what was refused is not.
    if (current && !endsWatch(watch, request.typeUrl, request.resourceNames)) {
      const refusal = this.watches.refusal(request.typeUrl, request.resourceNames);
      if (refusal !== null) return { ...refuse(refusal), answer: "nack", nack };
      watch.requested.add(adoptNames(watch, request.resourceNames));
    }
    return { answer: "nack", nack };
  }

  /** A first request, one of a client that reconnected, or one that starts over without a nonce. */
  #begin(typeUrl: string, names: readonly string[]): RequestOutcome {
    const watch = this.watches.get(typeUrl) ?? this.watches.open(typeUrl);
    adoptNames(watch, names);
    watch.requested.addAll();
    watch.mustAnswer = true;
    const endpoints = typeUrl === TypeUrl.cluster ? this.watches.get(TypeUrl.endpoint) : undefined;
    if (endpoints !== undefined) endpoints.answerNextAck = true;
    return silent;
  }

  #respond(watch: Watch, includeChanged: boolean): Outgoing<SotwResponse> | null {
    const answering = watch.due;
    const requested = watch.requested.take();
    const changed = includeChanged || watch.type.complete ? watch.changed.take() : null;
    watch.mustAnswer = false;
    const everything = watch.type.complete || requested.all || changed?.all === true;
    const names = everything ? "all" : coveredNames(watch, [requested.names, changed?.names ?? []]);
    const generated = generate(this.#context, watch, names);
    if (generated === undefined) return null;
    const send = new Map<string, GeneratedResource>();
    for (const [name, resource] of generated) {
      if (!watch.covers(name)) continue;
      const differs = watch.held.get(name) !== resource.version;
      if (watch.type.complete || requested.has(name) || differs) send.set(name, resource);
    }
    if (!answering && !this.#differs(watch, send)) return null;
    return this.#compose(watch, send);
  }

  /** True if the client lacks something of `send`, or holds something that a complete response leaves out. */
  #differs(watch: Watch, send: GeneratedResources): boolean {
    if (watch.type.complete && watch.held.size !== send.size) return true;
    for (const [name, { version }] of send) if (watch.held.get(name) !== version) return true;
    return false;
  }

  #compose(watch: Watch, send: Map<string, GeneratedResource>): Outgoing<SotwResponse> {
    const now = this.#fit(watch, send);
    const reconfigured = [...now].filter(([name, { version }]) => watch.held.get(name) !== version);
    if (watch.type.complete) for (const name of watch.held.keys()) if (!now.has(name)) forget(watch, name);
    for (const [name, { version }] of now) watch.held.set(name, version);
    const firstResponse = watch.acks.sent === null;
    const stamp = this.#stamp();
    watch.acks.onSent({ ...stamp, time: this.#context.clock.now() }, [...now.keys()]);
    // After the first clusters of a stream the next ACK of EDS does it (answerNextAck).
    if (watch.type.typeUrl === TypeUrl.cluster && !firstResponse) followWithEndpoints(this.watches, reconfigured);
    let bytes = 0;
    for (const [name, resource] of now) bytes += resourceBytes(name, resource);
    return {
      typeUrl: watch.type.typeUrl,
      resources: now.size,
      removed: 0,
      bytes,
      response: {
        typeUrl: watch.type.typeUrl,
        versionInfo: stamp.version,
        nonce: stamp.nonce,
        resources: Array.from(now.values(), (resource) => resource.any),
      },
    };
  }

  /** As much as fits one response; the rest is due again at once. Complete sets can't be split. */
  #fit(watch: Watch, send: Map<string, GeneratedResource>): Map<string, GeneratedResource> {
    if (watch.type.complete) return send;
    const now = new Map<string, GeneratedResource>();
    let bytes = 0;
    for (const [name, resource] of send) {
      bytes += resourceBytes(name, resource);
      if (now.size > 0 && bytes > this.#context.limits.responseBytes) watch.requested.add([name]);
      else now.set(name, resource);
    }
    return now;
  }

  #stamp(): { version: string; nonce: string } {
    return { version: this.#version, nonce: this.#context.versions.nonce(this.#version) };
  }
}

/**
 * An empty list ends a watch of named resources; that of a wildcard type only if it had named some
 * before. For RDS, Envoy also sends it first, between two versions of its listeners.
 */
function endsWatch(watch: Watch | undefined, typeUrl: string, names: readonly string[]): boolean {
  if (names.length > 0) return false;
  return !resourceType(typeUrl).wildcard || (watch !== undefined && !watch.wildcard);
}

/** Makes `names` what the watch covers and returns those that it did not cover before. */
function adoptNames(watch: Watch, names: readonly string[]): string[] {
  const wanted = new Set(names);
  const wildcard = watch.type.wildcard && (wanted.size === 0 || wanted.has("*"));
  wanted.delete("*");
  const added = [...wanted].filter((name) => !watch.covers(name));
  if (wildcard && !watch.wildcard) added.push("*");
  watch.wildcard = wildcard;
  for (const name of watch.names) if (!wanted.has(name)) watch.drop(name);
  for (const name of wanted) watch.names.add(name);
  return added;
}

function coveredNames(watch: Watch, selections: readonly Iterable<string>[]): Set<string> {
  const names = new Set<string>();
  for (const selection of selections) for (const name of selection) if (watch.covers(name)) names.add(name);
  return names;
}

function forget(watch: Watch, name: string): void {
  watch.held.delete(name);
  watch.acks.forgetResource(name);
}
