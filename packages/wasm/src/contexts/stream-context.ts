import type { Pair } from "../encoding/pairs.ts";
import { BufferType } from "../hostcalls/status.ts";
import type { LocalReply, StreamFacts } from "../vm/stream-host.ts";
import type { WasmVm } from "../vm/vm.ts";
import { Context } from "./context.ts";
import type { GuestBuffer } from "./guest-buffer.ts";
import type { RootContext } from "./root-context.ts";

/** What streams of both kinds have in common: how they are born, how they end and what a failed VM means to them. */
export abstract class StreamContext extends Context {
  readonly vm: WasmVm;
  readonly root: RootContext;
  readonly logPrefix: string;
  abstract override readonly stream: StreamFacts;
  #created = false;
  /** The VM has failed, or the stream has ended: no callback any more. */
  protected over = false;
  /** Told once, at the end. */
  readonly #onEnd: () => void;

  constructor(vm: WasmVm, root: RootContext, onEnd: () => void) {
    super(vm.newId());
    this.vm = vm;
    this.root = root;
    this.fuelLeft = vm.limits.streamFuel;
    const { name, rootId, vmId } = root.plugin;
    this.logPrefix = [name, rootId, vmId].filter((part) => part.length > 0).join(" ");
    this.#onEnd = onEnd;
  }

  /** Creates the context in the VM, once; false: the VM has failed, before or now. */
  protected create(): boolean {
    if (this.#created) return this.vm.failure === null;
    if (this.vm.failure !== null) return false;
    this.#created = true;
    this.vm.contexts.set(this.id, this);
    const { proxy_on_context_create: create } = this.vm.callbacks;
    if (create !== null) this.vm.run(create, this, this.root.id);
    return this.vm.failure === null;
  }

  protected get created(): boolean {
    return this.#created;
  }

  /** What an answer has brought lies with the root, and SDKs ask for it through the stream that made the call. */
  override buffer(type: number): GuestBuffer | null {
    return type >= BufferType.HttpCallBody ? this.root.buffer(type) : null;
  }

  override readOnlyPairs(map: number): readonly Pair[] | null {
    return this.root.readOnlyPairs(map);
  }

  /** `on_done` and `on_delete`, once; then nothing reaches the stream any more. */
  protected end(beforeDelete: () => void): void {
    if (this.over) return;
    this.over = true;
    if (this.#created && this.vm.failure === null) {
      const { proxy_on_done: done, proxy_on_delete: remove } = this.vm.callbacks;
      if (done !== null) this.vm.run(done, this);
      beforeDelete();
      if (remove !== null) this.vm.run(remove, this);
    }
    this.vm.contexts.delete(this.id);
    this.#onEnd();
  }
}

/** What a stream is answered with whose plugin has failed. */
export const FAILED_REPLY: LocalReply = {
  status: 503,
  body: "",
  details: "wasm_fail_stream",
  headers: [],
  grpcStatus: 14,
};
