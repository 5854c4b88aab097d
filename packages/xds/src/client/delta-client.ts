import type { DeltaRequest, DeltaResponse } from "../messages.ts";
import { resourceType } from "../resource-types.ts";
import { type ClientProtocol, inOrder, refusal, type UpdateHandler, type Wanted } from "./client-protocol.ts";

interface Subscription {
  wanted: Wanted;
  /** Name → version of what was accepted. Sent on reconnect, so that only what changed comes again. */
  readonly known: Map<string, string>;
  /** What the server has been told on this stream; null before the first request. */
  told: Wanted | null;
}

/** The incremental protocol, client side [control-plane §5.4]. */
export class DeltaClient implements ClientProtocol<DeltaRequest, DeltaResponse> {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #onUpdate: UpdateHandler;
  #open = false;
  /** While a response is handled, changes wait, so that they leave after its ACK and as one request. */
  #handling = false;

  constructor(onUpdate: UpdateHandler) {
    this.#onUpdate = onUpdate;
  }

  connected(): DeltaRequest[] {
    this.#open = true;
    return inOrder(this.#subscriptions.keys(), (typeUrl) => resourceType(typeUrl).order).flatMap((typeUrl) =>
      this.#tell(typeUrl),
    );
  }

  disconnected(): void {
    this.#open = false;
    for (const subscription of this.#subscriptions.values()) subscription.told = null;
  }

  want(typeUrl: string, wanted: Wanted): DeltaRequest[] {
    const current = this.#subscriptions.get(typeUrl);
    if (current === undefined) this.#subscriptions.set(typeUrl, { wanted, known: new Map(), told: null });
    else current.wanted = wanted;
    return this.#open && !this.#handling ? this.#tell(typeUrl) : [];
  }

  received(response: DeltaResponse): DeltaRequest[] {
    const { typeUrl, nonce } = response;
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const resources = response.resources.flatMap(({ name, version, resource }) =>
      resource === undefined || !wants(subscription.wanted, name) ? [] : [{ name, version, any: resource }],
    );
    const removed = response.removedResources.filter((name) => subscription.known.has(name));
    this.#handling = true;
    const faults = this.#onUpdate({ typeUrl, systemVersion: response.systemVersionInfo, resources, removed });
    this.#handling = false;
    const refused = new Set(faults.map((fault) => fault.name));
    for (const { name, version } of resources) if (!refused.has(name)) subscription.known.set(name, version);
    for (const name of removed) subscription.known.delete(name);
    const answer = request(typeUrl, { responseNonce: nonce, errorDetail: refusal(faults) });
    return [answer, ...this.#tellAll()];
  }

  /** Accepted resources, by type: name → version. */
  known(typeUrl: string): ReadonlyMap<string, string> {
    return this.#subscriptions.get(typeUrl)?.known ?? new Map();
  }

  #tellAll(): DeltaRequest[] {
    return inOrder(this.#subscriptions.keys(), (typeUrl) => resourceType(typeUrl).order).flatMap((typeUrl) =>
      this.#tell(typeUrl),
    );
  }

  /** The request that brings the server up to what is wanted; none when it knows. */
  #tell(typeUrl: string): DeltaRequest[] {
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const { wanted, told, known } = subscription;
    if (told === null) return this.#begin(typeUrl, subscription);
    const before = namesOf(told);
    const after = namesOf(wanted);
    const subscribe = [...after].filter((name) => !before.has(name));
    const unsubscribe = [...before].filter((name) => !after.has(name));
    if (subscribe.length === 0 && unsubscribe.length === 0) return [];
    subscription.told = copy(wanted);
    for (const name of unsubscribe) known.delete(name);
    return [request(typeUrl, { resourceNamesSubscribe: subscribe, resourceNamesUnsubscribe: unsubscribe })];
  }

  #begin(typeUrl: string, subscription: Subscription): DeltaRequest[] {
    const { wanted, known } = subscription;
    // A first request without names would ask for everything.
    if (wanted !== "*" && wanted.size === 0) return [];
    subscription.told = copy(wanted);
    for (const name of known.keys()) if (!wants(wanted, name)) known.delete(name);
    return [
      request(typeUrl, {
        resourceNamesSubscribe: wanted === "*" ? ["*"] : [...wanted],
        initialResourceVersions: Object.fromEntries(known),
      }),
    ];
  }
}

function wants(wanted: Wanted, name: string): boolean {
  return wanted === "*" || wanted.has(name);
}

function namesOf(wanted: Wanted): ReadonlySet<string> {
  return wanted === "*" ? new Set(["*"]) : wanted;
}

function copy(wanted: Wanted): Wanted {
  return wanted === "*" ? wanted : new Set(wanted);
}

function request(typeUrl: string, fields: Partial<DeltaRequest>): DeltaRequest {
  return {
    typeUrl,
    resourceNamesSubscribe: [],
    resourceNamesUnsubscribe: [],
    initialResourceVersions: {},
    responseNonce: "",
    ...fields,
  };
}
