import { resourceType, TypeUrl } from "../resource-types.ts";
import { Watch } from "./watch.ts";

/** Bounds on what one client may make the server remember. */
export interface StreamLimits {
  /** Resource types per stream. */
  readonly types: number;
  /** Resource names per stream, all types together. */
  readonly names: number;
  /** Length of one resource name in characters. */
  readonly nameLength: number;
  /** Bytes of resources in one response, where the protocol allows a response to be split. */
  readonly responseBytes: number;
}

export const defaultStreamLimits: StreamLimits = {
  types: 64,
  names: 100_000,
  nameLength: 4096,
  // Below the 4 MiB that most gRPC implementations accept by default.
  responseBytes: 3_500_000,
};

/** The watches of one stream, in push order. */
export class WatchTable {
  readonly #limits: StreamLimits;
  readonly #watches: Watch[] = [];
  readonly #byUrl = new Map<string, Watch>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  get(typeUrl: string): Watch | undefined {
    return this.#byUrl.get(typeUrl);
  }

  open(typeUrl: string): Watch {
    const watch = new Watch(resourceType(typeUrl));
    this.#byUrl.set(typeUrl, watch);
    const next = this.#watches.findIndex((other) => other.type.order > watch.type.order);
    this.#watches.splice(next < 0 ? this.#watches.length : next, 0, watch);
    return watch;
  }

  delete(typeUrl: string): void {
    const watch = this.#byUrl.get(typeUrl);
    if (watch === undefined) return;
    this.#byUrl.delete(typeUrl);
    this.#watches.splice(this.#watches.indexOf(watch), 1);
  }

  [Symbol.iterator](): Iterator<Watch> {
    return this.#watches[Symbol.iterator]();
  }

  /** Why the client may not watch `names` of a type (beside what it watches), or null. */
  refusal(typeUrl: string, names: readonly string[]): string | null {
    const { types, nameLength } = this.#limits;
    if (!this.#byUrl.has(typeUrl) && this.#watches.length >= types) {
      return `more than ${types} resource types on one stream`;
    }
    if (names.some((name) => name.length > nameLength))
      return `a resource name is longer than ${nameLength} characters`;
    let total = names.length;
    for (const watch of this.#watches) total += watch.names.size;
    return total > this.#limits.names ? `more than ${this.#limits.names} resource names on one stream` : null;
  }

  /**
   * The watch to be served next. What the client asked for comes at once; what a push changed waits for
   * the type's ACK, and listeners and routes also for clusters that wait, since they may refer to them.
   */
  nextDue(): { watch: Watch; includeChanged: boolean } | null {
    let clustersHeldBack = false;
    for (const watch of this.#watches) {
      const { typeUrl } = watch.type;
      const behindClusters = clustersHeldBack && (typeUrl === TypeUrl.listener || typeUrl === TypeUrl.route);
      const pushable = !watch.changed.empty && !watch.acks.waiting && !behindClusters;
      if (watch.due || pushable) return { watch, includeChanged: pushable };
      if (typeUrl === TypeUrl.cluster) clustersHeldBack = !watch.changed.empty;
    }
    return null;
  }

  /** True while a push waits for an answer of the client. */
  get heldBack(): boolean {
    return this.#watches.some((watch) => !watch.changed.empty && watch.acks.waiting);
  }

  /** Gives up waiting for answers to responses sent at `before` or earlier. True if there were any. */
  releaseUnanswered(before: number): boolean {
    let released = false;
    for (const { acks } of this.#watches) {
      if (!acks.waiting || acks.sent === null || acks.sent.time > before) continue;
      acks.forgetWaiting();
      released = true;
    }
    return released;
  }
}
