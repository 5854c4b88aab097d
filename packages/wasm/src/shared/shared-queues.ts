/** Who is told that something lies in a queue. */
export type QueueOwner = (token: number) => void;

interface Queue {
  readonly vmId: string;
  readonly name: string;
  readonly token: number;
  readonly items: string[];
  bytes: number;
  owner: QueueOwner;
  /** Notifications that are due. */
  due: number;
}

export type Enqueued = "ok" | "unknown" | "dropped";

/** Queues between VMs [proxy-wasm §8.9]. */
export class SharedQueues {
  readonly #byToken = new Map<number, Queue>();
  readonly #byName = new Map<string, Queue>();
  readonly #later: (action: () => void) => void;
  #last = 0;

  /** `later` runs an action in a turn of its own. */
  constructor(later: (action: () => void) => void) {
    this.#later = later;
  }

  /** The queue's token, whose owner is now `owner`; 0: the vm_id has as many queues as it may have. */
  register(vmId: string, name: string, owner: QueueOwner, most: number): number {
    const known = this.#byName.get(keyOf(vmId, name));
    if (known !== undefined) {
      known.owner = owner;
      return known.token;
    }
    let count = 0;
    for (const queue of this.#byToken.values()) if (queue.vmId === vmId) count++;
    if (count >= most) return 0;
    const queue: Queue = { vmId, name, token: ++this.#last, items: [], bytes: 0, owner, due: 0 };
    this.#byToken.set(queue.token, queue);
    this.#byName.set(keyOf(vmId, name), queue);
    return queue.token;
  }

  /** 0: unknown. */
  resolve(vmId: string, name: string): number {
    return this.#byName.get(keyOf(vmId, name))?.token ?? 0;
  }

  /** Appends and tells the owner in a later turn. A full queue loses its oldest items. */
  enqueue(token: number, item: string, mostBytes: number): Enqueued {
    const queue = this.#byToken.get(token);
    if (queue === undefined) return "unknown";
    queue.items.push(item);
    queue.bytes += item.length + ITEM_COST;
    let dropped = false;
    while (queue.bytes > mostBytes && queue.items.length > 0) {
      queue.bytes -= (queue.items.shift() ?? "").length + ITEM_COST;
      dropped = true;
    }
    if (queue.due++ === 0) this.#later(() => this.#notify(queue));
    return dropped ? "dropped" : "ok";
  }

  /** Undefined: no such queue; null: it is empty. */
  dequeue(token: number): string | null | undefined {
    const queue = this.#byToken.get(token);
    if (queue === undefined) return undefined;
    const item = queue.items.shift();
    if (item === undefined) return null;
    queue.bytes -= item.length + ITEM_COST;
    return item;
  }

  /** The last VM of a vm_id has ended. */
  drop(vmId: string): void {
    for (const queue of [...this.#byToken.values()]) {
      if (queue.vmId !== vmId) continue;
      this.#byToken.delete(queue.token);
      this.#byName.delete(keyOf(vmId, queue.name));
    }
  }

  /** One notification per item, as many as there are items at most. */
  #notify(queue: Queue): void {
    const due = Math.min(queue.due, Math.max(queue.items.length, 1));
    queue.due = 0;
    for (let i = 0; i < due && this.#byToken.get(queue.token) === queue; i++) queue.owner(queue.token);
  }
}

/** What an item takes beside its bytes. */
const ITEM_COST = 32;

function keyOf(vmId: string, name: string): string {
  return `${vmId.length}:${vmId}${name}`;
}
