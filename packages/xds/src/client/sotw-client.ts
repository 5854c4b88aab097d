import type { Any } from "@bufbuild/protobuf/wkt";
import type { SotwRequest, SotwResponse } from "../messages.ts";
import { resourceType } from "../resource-types.ts";
import { type ClientProtocol, inOrder, refusal, type UpdateHandler, type Wanted } from "./client-protocol.ts";

interface Subscription {
  wanted: Wanted;
  /** Names of what was accepted: what a complete response leaves out is gone. */
  known: Set<string>;
  acceptedVersion: string;
  nonce: string;
  /** What the server has been told on this stream, sorted and joined; null before the first request. */
  told: string | null;
}

/** The state-of-the-world protocol, client side [control-plane §5.3]. */
export class SotwClient implements ClientProtocol<SotwRequest, SotwResponse> {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #onUpdate: UpdateHandler;
  readonly #nameOf: (any: Any) => string;
  #open = false;
  #handling = false;

  /** `nameOf` reads the name out of a resource, which this protocol does not carry beside it. */
  constructor(onUpdate: UpdateHandler, nameOf: (any: Any) => string) {
    this.#onUpdate = onUpdate;
    this.#nameOf = nameOf;
  }

  connected(): SotwRequest[] {
    this.#open = true;
    return this.#tellAll();
  }

  disconnected(): void {
    this.#open = false;
    for (const subscription of this.#subscriptions.values()) {
      subscription.told = null;
      subscription.nonce = "";
    }
  }

  want(typeUrl: string, wanted: Wanted): SotwRequest[] {
    const current = this.#subscriptions.get(typeUrl);
    if (current === undefined)
      this.#subscriptions.set(typeUrl, { wanted, known: new Set(), acceptedVersion: "", nonce: "", told: null });
    else current.wanted = wanted;
    return this.#open && !this.#handling ? this.#tell(typeUrl) : [];
  }

  received(response: SotwResponse): SotwRequest[] {
    const { typeUrl, versionInfo, nonce } = response;
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const resources = response.resources.map((any) => ({ name: this.#nameOf(any), version: versionInfo, any }));
    const names = new Set(resources.map((resource) => resource.name));
    const complete = resourceType(typeUrl).complete;
    const removed = complete ? [...subscription.known].filter((name) => !names.has(name)) : [];
    this.#handling = true;
    const faults = this.#onUpdate({ typeUrl, systemVersion: versionInfo, resources, removed });
    this.#handling = false;
    subscription.known = complete ? names : new Set([...subscription.known, ...names]);
    subscription.nonce = nonce;
    if (faults.length === 0) subscription.acceptedVersion = versionInfo;
    const answer = { ...this.#request(typeUrl, subscription), errorDetail: refusal(faults) };
    return [answer, ...this.#tellAll()];
  }

  #tellAll(): SotwRequest[] {
    return inOrder(this.#subscriptions.keys(), (typeUrl) => resourceType(typeUrl).order).flatMap((typeUrl) =>
      this.#tell(typeUrl),
    );
  }

  #tell(typeUrl: string): SotwRequest[] {
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const key = keyOf(subscription.wanted);
    // A first request without names would ask for everything.
    if (subscription.told === key || (subscription.told === null && key === "")) return [];
    return [this.#request(typeUrl, subscription)];
  }

  #request(typeUrl: string, subscription: Subscription): SotwRequest {
    const { wanted, acceptedVersion, nonce } = subscription;
    subscription.told = keyOf(wanted);
    return {
      typeUrl,
      versionInfo: acceptedVersion,
      responseNonce: nonce,
      resourceNames: wanted === "*" ? [] : [...wanted],
    };
  }
}

function keyOf(wanted: Wanted): string {
  return wanted === "*" ? "*" : [...wanted].sort().join("\0");
}
