import type { Any } from "@bufbuild/protobuf/wkt";
import type { ErrorDetail, SotwRequest, SotwResponse } from "../messages.ts";
import { resourceType, TypeUrl } from "../resource-types.ts";
import {
  type ClientProtocol,
  inOrder,
  type ResourceUpdate,
  refusal,
  type SubscriptionView,
  type UpdateHandler,
  type Wanted,
  wants,
} from "./client-protocol.ts";
import { handOver, Subscription, settle } from "./subscription.ts";

/** The state-of-the-world protocol, client side [control-plane §5.3]. */
export class SotwClient implements ClientProtocol<SotwRequest, SotwResponse> {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #onUpdate: UpdateHandler;
  readonly #nameOf: (any: Any) => string;
  #open = false;
  /** While an update is handled, changes wait: they leave with its answer or after it. */
  #handling = false;

  /** `nameOf` reads the name out of a resource, which this protocol does not carry beside it. */
  constructor(onUpdate: UpdateHandler, nameOf: (any: Any) => string) {
    this.#onUpdate = onUpdate;
    this.#nameOf = nameOf;
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionView> {
    return this.#subscriptions;
  }

  connected(): SotwRequest[] {
    this.#open = true;
    return this.#tellAll();
  }

  disconnected(): void {
    this.#open = false;
    for (const subscription of this.#subscriptions.values()) subscription.forgetStream();
  }

  want(typeUrl: string, wanted: Wanted): SotwRequest[] {
    const subscription = this.#subscriptions.get(typeUrl) ?? new Subscription();
    this.#subscriptions.set(typeUrl, subscription);
    subscription.want(wanted);
    return this.#open && !this.#handling ? tell(typeUrl, subscription) : [];
  }

  received(response: SotwResponse): SotwRequest[] {
    const { typeUrl, versionInfo, nonce } = response;
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const all = response.resources.map((any) => ({ name: this.#nameOf(any), version: versionInfo, any }));
    const resources = all.filter(({ name }) => wants(subscription.wanted, name));
    const present = new Set(all.map(({ name }) => name));
    const removed = missing(subscription, typeUrl, present);
    subscription.answered(nonce, present);
    const error = this.#handle(subscription, { typeUrl, systemVersion: versionInfo, resources, removed });
    // What is wanted by now goes with the answer, unless a name must be taken back first.
    const answer = answerTo(typeUrl, subscription, error);
    return [...answer, ...this.#tellAll()];
  }

  restore(update: ResourceUpdate): void {
    const subscription = this.#subscriptions.get(update.typeUrl);
    if (subscription === undefined) return;
    this.#handle(subscription, update);
    // A version of an earlier run says nothing about what was left out of it.
    subscription.acceptedVersion = "";
  }

  health(errorDetail: ErrorDetail | undefined): SotwRequest {
    return { typeUrl: TypeUrl.health, versionInfo: "", responseNonce: "", resourceNames: [], errorDetail };
  }

  #handle(subscription: Subscription, update: ResourceUpdate): ErrorDetail | undefined {
    this.#handling = true;
    const faults = handOver(this.#onUpdate, update);
    this.#handling = false;
    settle(subscription, update, faults);
    return refusal(faults);
  }

  #tellAll(): SotwRequest[] {
    return inOrder(this.#subscriptions.keys()).flatMap((typeUrl) => {
      const subscription = this.#subscriptions.get(typeUrl);
      return subscription === undefined ? [] : tell(typeUrl, subscription);
    });
  }
}

/** What a complete response leaves out is gone; one of another type says nothing about what it leaves out. */
function missing(subscription: Subscription, typeUrl: string, present: ReadonlySet<string>): string[] {
  if (!resourceType(typeUrl).complete) return [];
  return [...subscription.known.keys()].filter((name) => !present.has(name));
}

/** Always sent, also when nothing is wanted any more: for the server that is the end of the watch. */
function answerTo(typeUrl: string, subscription: Subscription, error: ErrorDetail | undefined): SotwRequest[] {
  const { wanted, dropped } = subscription;
  const again = wanted !== "*" && [...dropped].some((name) => wanted.has(name));
  return [request(typeUrl, subscription, again ? without(wanted, dropped) : wanted, error)];
}

function tell(typeUrl: string, subscription: Subscription): SotwRequest[] {
  if (subscription.settled) return [];
  const { wanted, dropped } = subscription;
  const again = wanted !== "*" && [...dropped].some((name) => wanted.has(name));
  // The server is silent to names that it was told before, so they go and come back.
  const requests = again ? [request(typeUrl, subscription, without(wanted, dropped))] : [];
  return [...requests, request(typeUrl, subscription, wanted)];
}

function request(typeUrl: string, subscription: Subscription, names: Wanted, error?: ErrorDetail): SotwRequest {
  subscription.tell(names);
  const { acceptedVersion: versionInfo, nonce: responseNonce } = subscription;
  return {
    typeUrl,
    versionInfo,
    responseNonce,
    resourceNames: names === "*" ? [] : [...names],
    errorDetail: error,
  };
}

function without(wanted: ReadonlySet<string>, names: ReadonlySet<string>): Set<string> {
  return new Set([...wanted].filter((name) => !names.has(name)));
}
