import type { ResourceType } from "../resource-types.ts";
import { AckLedger } from "./ack-ledger.ts";
import { NameSelection } from "./name-selection.ts";

/** What one stream wants of one type, has of it, and is still to get. */
export class Watch {
  readonly type: ResourceType;
  wildcard = false;
  /** Asked for by name, beside or instead of everything. */
  readonly names = new Set<string>();
  /** Resource name → content version, as last sent here or as the client said it has. */
  readonly held = new Map<string, string>();
  readonly acks = new AckLedger();
  /** The client asked: sent whether changed or not, without waiting for an ACK. */
  readonly requested = new NameSelection();
  /** Perhaps changed: sent if the version differs, once nothing waits for an ACK. */
  readonly changed = new NameSelection();
  /** The next response goes out even if it is empty. */
  mustAnswer = false;
  /** State of the world, EDS: the next ACK is answered in full, because clusters warm [control-plane §5.3]. */
  answerNextAck = false;
  /** Why the last attempt to generate this type failed. */
  internalError: string | null = null;

  constructor(type: ResourceType) {
    this.type = type;
  }

  covers(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  /** Notes a push. Names that this watch does not cover are left out. */
  markChanged(changed: ReadonlySet<string> | "all"): void {
    // What an earlier failure kept from the client is unknown, so everything may have changed for it.
    if (this.internalError !== null) this.changed.addAll();
    else if (changed === "all" || this.wildcard) this.changed.add(changed);
    else for (const name of changed) if (this.names.has(name)) this.changed.add([name]);
  }

  /** Stops covering a name that was asked for. */
  drop(name: string): void {
    this.names.delete(name);
    this.requested.delete(name);
    if (this.wildcard) return;
    this.changed.delete(name);
    this.held.delete(name);
    this.acks.forgetResource(name);
  }

  get due(): boolean {
    return this.mustAnswer || !this.requested.empty;
  }
}
