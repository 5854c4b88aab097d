import type { DeltaRequest, DeltaResponse } from "../messages.ts";
import { TypeUrl } from "../resource-types.ts";
import { StatusCode } from "../status-code.ts";
import type { NameSelection } from "./name-selection.ts";
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

interface Difference {
  readonly send: Map<string, GeneratedResource>;
  readonly removed: string[];
}

/** The incremental protocol, server side [control-plane §5.4]. */
export class DeltaStream implements ServerStream<DeltaRequest, DeltaResponse> {
  readonly watches: WatchTable;
  readonly #context: StreamContext;
  #version: string;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#version = context.versions.current;
    this.watches = new WatchTable(context.limits);
  }

  onRequest(request: DeltaRequest): RequestOutcome {
    const { typeUrl, resourceNamesSubscribe, errorDetail } = request;
    if (typeUrl === "") return refuse("the request names no resource type (type_url)", StatusCode.invalidArgument);
    if (reportHealth(this.#context.session, typeUrl, errorDetail)) return silent;
    const watch = this.watches.get(typeUrl);
    const initial = watch === undefined ? Object.keys(request.initialResourceVersions) : [];
    const refusal = this.watches.refusal(typeUrl, [...resourceNamesSubscribe, ...initial]);
    if (refusal !== null) return refuse(refusal);
    if (watch === undefined) {
      // Without a watch nothing can have been refused on this stream.
      if (errorDetail === undefined) this.#begin(request);
      return errorDetail === undefined ? silent : { answer: "nack" };
    }
    const outcome = this.#onAnswer(watch, request);
    // Also with a stale nonce or a refusal: these are changes, said once, and not to be lost.
    unsubscribe(watch, request.resourceNamesUnsubscribe);
    subscribe(watch, resourceNamesSubscribe);
    return outcome;
  }

  push(changed: ChangedResources, version: string): void {
    this.#version = version;
    for (const watch of this.watches) {
      const names = changed.get(watch.type.typeUrl);
      if (names !== undefined) watch.markChanged(names);
    }
  }

  poll(): Outgoing<DeltaResponse> | null {
    for (;;) {
      const next = this.watches.nextDue();
      if (next === null) return null;
      const outgoing = this.#respond(next.watch, next.includeChanged);
      if (outgoing !== null) return outgoing;
    }
  }

  #onAnswer(watch: Watch, request: DeltaRequest): RequestOutcome {
    const { responseNonce, errorDetail } = request;
    const now = this.#context.clock.now();
    if (errorDetail !== undefined) return { answer: "nack", nack: watch.acks.onNack(responseNonce, errorDetail, now) };
    if (responseNonce === "") return silent;
    return { answer: watch.acks.onAck(responseNonce, now) === "unknown" ? "stale" : "ack" };
  }

  #begin(request: DeltaRequest): void {
    const watch = this.watches.open(request.typeUrl);
    const { resourceNamesSubscribe: names, initialResourceVersions: initial } = request;
    watch.wildcard = watch.type.wildcard && (names.length === 0 || names.includes("*"));
    for (const name of names) if (name !== "*") watch.names.add(name);
    for (const [name, version] of Object.entries(initial)) if (watch.covers(name)) watch.held.set(name, version);
    // A client that begins with everything waits for one response, be it that nothing exists.
    watch.mustAnswer = watch.wildcard;
    if (watch.wildcard) watch.changed.addAll();
    for (const name of watch.names) {
      // Endpoints come again in any case: a cluster may have been warming when the last stream broke.
      const current = watch.held.has(name) && watch.type.typeUrl !== TypeUrl.endpoint;
      (current ? watch.changed : watch.requested).add([name]);
    }
  }

  #respond(watch: Watch, includeChanged: boolean): Outgoing<DeltaResponse> | null {
    const mustAnswer = watch.mustAnswer;
    watch.mustAnswer = false;
    const requested = watch.requested.take();
    const changed = includeChanged ? watch.changed.take() : null;
    const everything = requested.all || changed?.all === true;
    const names = everything ? null : scope(watch, requested, changed);
    const generated = generate(this.#context, watch, names ?? "all");
    if (generated === undefined) return null;
    const difference = {
      send: toSend(watch, generated, requested),
      removed: watch.type.removable ? toRemove(watch, generated, requested, names) : [],
    };
    if (difference.send.size === 0 && difference.removed.length === 0 && !mustAnswer) return null;
    return this.#compose(watch, difference);
  }

  #compose(watch: Watch, difference: Difference): Outgoing<DeltaResponse> {
    const { typeUrl } = watch.type;
    const { removed } = difference;
    const { now, bytes } = this.#fit(watch, difference.send);
    for (const [name, { version }] of now) watch.held.set(name, version);
    for (const name of removed) {
      watch.held.delete(name);
      watch.acks.forgetResource(name);
    }
    const nonce = this.#context.versions.nonce(this.#version);
    const stamp = { version: this.#version, nonce, time: this.#context.clock.now() };
    watch.acks.onSent(stamp, [...now.keys()]);
    if (typeUrl === TypeUrl.cluster) followWithEndpoints(this.watches, now);
    const resources = Array.from(now, ([name, { version, any }]) => ({ name, version, resource: any }));
    return {
      typeUrl,
      resources: now.size,
      removed: removed.length,
      bytes,
      response: { typeUrl, systemVersionInfo: this.#version, nonce, resources, removedResources: removed },
    };
  }

  /** As much as fits one response; the rest is due again at once. */
  #fit(watch: Watch, send: GeneratedResources): { now: Map<string, GeneratedResource>; bytes: number } {
    const now = new Map<string, GeneratedResource>();
    let bytes = 0;
    for (const [name, resource] of send) {
      const size = resourceBytes(name, resource);
      if (now.size > 0 && bytes + size > this.#context.limits.responseBytes) {
        watch.requested.add([name]);
        continue;
      }
      now.set(name, resource);
      bytes += size;
    }
    return { now, bytes };
  }
}

function subscribe(watch: Watch, names: readonly string[]): void {
  for (const name of names) {
    if (name === "*" && watch.type.wildcard) {
      watch.wildcard = true;
      watch.requested.addAll();
    } else {
      watch.names.add(name);
      watch.requested.add([name]);
    }
  }
}

function unsubscribe(watch: Watch, names: readonly string[]): void {
  for (const name of names) {
    if (name === "*" && watch.wildcard) endWildcard(watch);
    else if (watch.names.has(name)) {
      watch.drop(name);
      // Everything still covers it: the client has dropped it and must hear whether it exists.
      if (watch.wildcard) watch.requested.add([name]);
    }
  }
}

function endWildcard(watch: Watch): void {
  watch.wildcard = false;
  watch.mustAnswer = false;
  watch.changed.clear();
  for (const name of [...watch.held.keys()]) if (!watch.names.has(name)) watch.drop(name);
}

function scope(watch: Watch, requested: NameSelection, changed: NameSelection | null): Set<string> {
  const names = new Set<string>();
  for (const name of requested.names) if (watch.covers(name)) names.add(name);
  for (const name of changed?.names ?? []) if (watch.covers(name)) names.add(name);
  return names;
}

function toSend(watch: Watch, generated: GeneratedResources, requested: NameSelection): Map<string, GeneratedResource> {
  const send = new Map<string, GeneratedResource>();
  for (const [name, resource] of generated) {
    if (!watch.covers(name)) continue;
    if (requested.has(name) || watch.held.get(name) !== resource.version) send.set(name, resource);
  }
  return send;
}

/** Names that the client holds or asked for and that do not exist, among `names` or all (null). */
function toRemove(
  watch: Watch,
  generated: GeneratedResources,
  requested: NameSelection,
  names: ReadonlySet<string> | null,
): string[] {
  const removed: string[] = [];
  const candidates = names ?? new Set([...watch.held.keys(), ...watch.names]);
  for (const name of candidates) {
    if (generated.has(name)) continue;
    if (watch.held.has(name) || requested.has(name)) removed.push(name);
  }
  return removed;
}
