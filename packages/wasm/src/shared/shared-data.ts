/** What is known under a key. */
interface Item {
  readonly value: string;
  readonly cas: number;
}

interface Space {
  readonly items: Map<string, Item>;
  bytes: number;
  users: number;
}

export type SetOutcome = "stored" | "mismatch" | "full";

/** Values that all VMs with one vm_id share [proxy-wasm §8.8]. Gone with the last of them. */
export class SharedData {
  readonly #spaces = new Map<string, Space>();
  #cas = 0;

  /** A VM with this vm_id begins. */
  open(vmId: string): void {
    const space = this.#spaces.get(vmId);
    if (space === undefined) this.#spaces.set(vmId, { items: new Map(), bytes: 0, users: 1 });
    else space.users++;
  }

  /** A VM ends; true: it was the last of its vm_id. */
  close(vmId: string): boolean {
    const space = this.#spaces.get(vmId);
    if (space === undefined || --space.users > 0) return false;
    this.#spaces.delete(vmId);
    return true;
  }

  get(vmId: string, key: string): Item | null {
    return this.#spaces.get(vmId)?.items.get(key) ?? null;
  }

  /** `cas` 0 stores whatever there is. */
  set(vmId: string, key: string, value: string, cas: number, limits: { bytes: number; keys: number }): SetOutcome {
    const space = this.#spaces.get(vmId);
    if (space === undefined) return "full";
    const known = space.items.get(key);
    if (cas !== 0 && known !== undefined && known.cas !== cas) return "mismatch";
    const bytes = space.bytes + value.length + (known === undefined ? key.length : -known.value.length);
    if (bytes > limits.bytes || (known === undefined && space.items.size >= limits.keys)) return "full";
    space.bytes = bytes;
    this.#cas = this.#cas >= 0xffff_ffff ? 1 : this.#cas + 1;
    space.items.set(key, { value, cas: this.#cas });
    return "stored";
  }

  /** Keys of a vm_id. */
  size(vmId: string): number {
    return this.#spaces.get(vmId)?.items.size ?? 0;
  }
}
