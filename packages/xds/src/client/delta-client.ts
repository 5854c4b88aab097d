import type { DeltaRequest, DeltaResponse, ErrorDetail } from "../messages.ts";
import { TypeUrl } from "../resource-types.ts";
import {
  type ClientProtocol,
  inOrder,
  namesOf,
  type ResourceUpdate,
  refusal,
  type SubscriptionView,
  type UpdateHandler,
  type Wanted,
  wants,
} from "./client-protocol.ts";
import { handOver, Subscription, settle } from "./subscription.ts";

/** The incremental protocol, client side [control-plane §5.4]. */
export class DeltaClient implements ClientProtocol<DeltaRequest, DeltaResponse> {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #onUpdate: UpdateHandler;
  #open = false;
  /** While an update is handled, changes wait, so that they leave after its answer and as one request. */
  #handling = false;

  constructor(onUpdate: UpdateHandler) {
    this.#onUpdate = onUpdate;
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionView> {
    return this.#subscriptions;
  }

  connected(): DeltaRequest[] {
    this.#open = true;
    return this.#tellAll();
  }

  disconnected(): void {
    this.#open = false;
    for (const subscription of this.#subscriptions.values()) subscription.forgetStream();
  }

  want(typeUrl: string, wanted: Wanted): DeltaRequest[] {
    const subscription = this.#subscriptions.get(typeUrl) ?? new Subscription();
    this.#subscriptions.set(typeUrl, subscription);
    subscription.want(wanted);
    return this.#open && !this.#handling ? tell(typeUrl, subscription) : [];
  }

  received(response: DeltaResponse): DeltaRequest[] {
    const { typeUrl, nonce, systemVersionInfo: systemVersion } = response;
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const resources = response.resources.flatMap(({ name, version, resource: any }) =>
      // What is not wanted any longer may still be on its way; a heartbeat has no resource.
      any === undefined || !wants(subscription.wanted, name) ? [] : [{ name, version, any }],
    );
    // Also names that never came: whoever asked for one learns that it does not exist.
    const removed = response.removedResources.filter(
      (name) => subscription.known.has(name) || (subscription.wanted !== "*" && subscription.wanted.has(name)),
    );
    const errorDetail = this.#handle(subscription, { typeUrl, systemVersion, resources, removed });
    return [request(typeUrl, { responseNonce: nonce, errorDetail }), ...this.#tellAll()];
  }

  restore(update: ResourceUpdate): void {
    const subscription = this.#subscriptions.get(update.typeUrl);
    if (subscription !== undefined) this.#handle(subscription, update);
  }

  health(errorDetail: ErrorDetail | undefined): DeltaRequest {
    return request(TypeUrl.health, { errorDetail });
  }

  #handle(subscription: Subscription, update: ResourceUpdate) {
    this.#handling = true;
    const faults = handOver(this.#onUpdate, update);
    this.#handling = false;
    settle(subscription, update, faults);
    return refusal(faults);
  }

  #tellAll(): DeltaRequest[] {
    return inOrder(this.#subscriptions.keys()).flatMap((typeUrl) => {
      const subscription = this.#subscriptions.get(typeUrl);
      return subscription === undefined ? [] : tell(typeUrl, subscription);
    });
  }
}

/** The request that brings the server up to what is wanted; none when it knows. */
function tell(typeUrl: string, subscription: Subscription): DeltaRequest[] {
  if (subscription.settled) return [];
  const { wanted, told, known, dropped } = subscription;
  const before = told === null ? new Set<string>() : namesOf(told);
  const after = namesOf(wanted);
  const initialResourceVersions = told === null ? Object.fromEntries(known) : {};
  const resourceNamesSubscribe = [...after].filter((name) => !before.has(name) || dropped.has(name));
  const resourceNamesUnsubscribe = [...before].filter((name) => !after.has(name));
  subscription.told = wanted;
  dropped.clear();
  return [request(typeUrl, { resourceNamesSubscribe, resourceNamesUnsubscribe, initialResourceVersions })];
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
