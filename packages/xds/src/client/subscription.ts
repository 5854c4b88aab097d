import { formatRefusal, type ResourceFault } from "../refusal.ts";
import {
  namesOf,
  type ReceivedResource,
  type ResourceUpdate,
  type SubscriptionView,
  type UpdateHandler,
  type Wanted,
  wants,
} from "./client-protocol.ts";

/** What a client wants and has of one type, and what it has told the server on the present stream. */
export class Subscription implements SubscriptionView {
  wanted: Wanted = new Set();
  readonly known = new Map<string, string>();
  acceptedVersion = "";
  lastError: string | null = null;
  /** Null before the first request of a stream. */
  told: Wanted | null = null;
  /** Told, then no longer wanted. If wanted again before the server heard of it, it must come again. */
  readonly dropped = new Set<string>();
  /** State of the world: taken back on this stream, but perhaps unheard: a response on its way makes the server ignore it. */
  readonly #takenBack = new Set<string>();
  /** State of the world: nonce of the last response on this stream. */
  nonce = "";

  want(wanted: Wanted): void {
    const next = wanted === "*" ? wanted : new Set(wanted);
    for (const name of namesOf(this.wanted)) {
      if (!namesOf(next).has(name) && this.told !== null && namesOf(this.told).has(name)) this.dropped.add(name);
    }
    this.wanted = next;
    for (const name of this.known.keys()) if (!wants(next, name)) this.known.delete(name);
  }

  /** The stream is gone, and with it what the server was told. */
  forgetStream(): void {
    this.told = null;
    this.dropped.clear();
    this.#takenBack.clear();
    this.nonce = "";
  }

  /** State of the world: notes what a request with the present nonce says. */
  tell(names: Wanted): void {
    if (this.told !== null && names !== "*") {
      for (const name of namesOf(this.told)) if (!names.has(name)) this.#takenBack.add(name);
    }
    this.told = names;
    this.dropped.clear();
  }

  /** State of the world: a response with a new nonce. It may have crossed requests with the old one. */
  answered(nonce: string, present: ReadonlySet<string>): void {
    this.nonce = nonce;
    for (const name of this.#takenBack) {
      if (!wants(this.wanted, name)) continue;
      this.#takenBack.delete(name);
      if (!present.has(name)) this.dropped.add(name);
    }
  }

  /** True if the server knows what is wanted, or there is nothing to tell it. */
  get settled(): boolean {
    // A first request without names would ask for everything.
    if (this.told === null) return this.wanted !== "*" && this.wanted.size === 0;
    return this.dropped.size === 0 && sameNames(this.told, this.wanted);
  }
}

/**
 * Hands an update to its handler. Resources that do not belong to the type, or come twice, are faults of
 * their own; a handler that throws has refused everything.
 */
export function handOver(handler: UpdateHandler, update: ResourceUpdate): readonly ResourceFault[] {
  const faults: ResourceFault[] = [];
  const seen = new Set<string>();
  const resources: ReceivedResource[] = [];
  for (const resource of update.resources) {
    const fault = faultOf(resource, update.typeUrl, seen);
    seen.add(resource.name);
    if (fault === null) resources.push(resource);
    else faults.push({ name: resource.name, message: fault });
  }
  try {
    faults.push(...handler({ ...update, resources }));
  } catch (error) {
    const message = `internal error: ${error instanceof Error ? error.message : String(error)}`;
    faults.push(...resources.map(({ name }) => ({ name, message })));
    if (resources.length === 0) faults.push({ name: "update", message });
  }
  return faults;
}

/** Notes what of an update was accepted. `removed` counts as accepted. */
export function settle(subscription: Subscription, update: ResourceUpdate, faults: readonly ResourceFault[]): void {
  const { known } = subscription;
  const refused = new Set(faults.map((fault) => fault.name));
  for (const { name, version } of update.resources) {
    // The handler may have changed its mind about what it wants.
    if (!refused.has(name) && wants(subscription.wanted, name)) known.set(name, version);
  }
  for (const name of update.removed) known.delete(name);
  subscription.lastError = faults.length === 0 ? null : formatRefusal(faults);
  if (faults.length === 0) subscription.acceptedVersion = update.systemVersion;
}

function faultOf({ name, any }: ReceivedResource, typeUrl: string, seen: ReadonlySet<string>): string | null {
  if (any.typeUrl !== typeUrl) return `resource: is a ${any.typeUrl || "message without a type"}, not a ${typeUrl}`;
  return seen.has(name) ? "name: occurs twice in one response" : null;
}

function sameNames(a: Wanted, b: Wanted): boolean {
  if (a === "*" || b === "*") return a === b;
  if (a.size !== b.size) return false;
  for (const name of a) if (!b.has(name)) return false;
  return true;
}
