import { BufferType, FlowResult, PeerType, Status, StreamType } from "../hostcalls/status.ts";
import type { Callback } from "../vm/callbacks.ts";
import type { TcpStreamHost } from "../vm/stream-host.ts";
import { FAILED, type WasmVm } from "../vm/vm.ts";
import { FlowBuffer, type GuestBuffer } from "./guest-buffer.ts";
import type { RootContext } from "./root-context.ts";
import { StreamContext } from "./stream-context.ts";

/** The bytes of one direction. */
interface Flow {
  readonly buffer: FlowBuffer;
  open: boolean;
}

/** One TCP connection of a plugin [proxy-wasm §6.4]. */
export class TcpContext extends StreamContext {
  readonly stream: TcpStreamHost;
  readonly #downstream: Flow = { buffer: new FlowBuffer(), open: false };
  readonly #upstream: Flow = { buffer: new FlowBuffer(), open: false };
  /** The plugin holds the connection or the client's bytes, until it resumes them. */
  #paused = false;
  #running = false;
  #resumed = false;
  #failed = false;
  #downstreamClosed = false;
  #upstreamClosed = false;

  constructor(vm: WasmVm, root: RootContext, stream: TcpStreamHost, onEnd: () => void) {
    super(vm, root, onEnd);
    this.stream = stream;
  }

  /** One of {@link FlowResult}; after Stop the chain waits for `continueDownstream`. */
  onNewConnection(): number {
    if (!this.create()) return this.#failure();
    const { proxy_on_new_connection: callback } = this.vm.callbacks;
    const result = callback === null ? FlowResult.Continue : this.#flow(callback, 0, 0);
    this.#paused = result !== FlowResult.Continue;
    return result;
  }

  /** One of {@link FlowResult}. After Continue, {@link takeDownstream} has what goes on. */
  onDownstreamData(bytes: Buffer, endOfStream: boolean): number {
    // The plugin may resume what it holds, so the source waits for that: whoever goes on anyway has not listened.
    if (this.downstreamFull && bytes.length > 0) return this.#overflow(this.#downstream);
    const { proxy_on_downstream_data: callback } = this.vm.callbacks;
    const result = this.#onData(this.#downstream, callback, bytes, endOfStream);
    this.#paused = result !== FlowResult.Continue;
    return result;
  }

  /** It holds as much of the client's bytes as it may: nothing more may come until it resumes. */
  get downstreamFull(): boolean {
    return this.#downstream.buffer.size >= this.vm.limits.bodyBytes;
  }

  /** Bytes towards the client. Only more of them can make the plugin let go of what it holds, which must end somewhere. */
  onUpstreamData(bytes: Buffer, endOfStream: boolean): number {
    const { buffer } = this.#upstream;
    if (buffer.size > 0 && buffer.size + bytes.length > this.vm.limits.bodyBytes) return this.#overflow(this.#upstream);
    const result = this.#onData(this.#upstream, this.vm.callbacks.proxy_on_upstream_data, bytes, endOfStream);
    if (endOfStream) this.#closedUpstream(PeerType.Unknown);
    return result;
  }

  takeDownstream(): Buffer {
    return this.#downstream.buffer.take();
  }

  takeUpstream(): Buffer {
    return this.#upstream.buffer.take();
  }

  /** The client's side has closed, by itself (`remote`) or by us. */
  onDownstreamClose(remote: boolean): void {
    if (this.#downstreamClosed) return;
    this.#downstreamClosed = true;
    this.#closeEvent(this.vm.callbacks.proxy_on_downstream_connection_close, remote ? PeerType.Remote : PeerType.Local);
    this.#finish();
  }

  override buffer(type: number): GuestBuffer | null {
    if (type === BufferType.DownstreamData) return this.#downstream.open ? this.#downstream.buffer : null;
    if (type === BufferType.UpstreamData) return this.#upstream.open ? this.#upstream.buffer : null;
    return super.buffer(type);
  }

  override continueStream(type: number): number {
    if (type !== StreamType.Downstream) return super.continueStream(type);
    this.vm.defer(() => this.#resume());
    return Status.Ok;
  }

  override closeStream(type: number): number {
    if (type !== StreamType.Downstream && type !== StreamType.Upstream) return super.closeStream(type);
    const details = type === StreamType.Downstream ? "wasm_downstream_close" : "wasm_upstream_close";
    this.vm.defer(() => {
      if (!this.over) this.stream.close(details);
    });
    return Status.Ok;
  }

  /** The VM has failed: what the plugin holds back must not wait for ever. */
  override abandon(): void {
    const held = this.#upstream.buffer.size > 0;
    if (this.over || (!this.#paused && !held)) return;
    if (!this.root.plugin.failOpen) {
      this.#failure();
      return;
    }
    this.#resume();
    if (held) this.stream.continueUpstream();
  }

  #onData(flow: Flow, callback: Callback | null, bytes: Buffer, endOfStream: boolean): number {
    if (!this.created || this.over || this.#failed || callback === null) {
      if (this.#failed && !this.root.plugin.failOpen) return FlowResult.Stop;
      flow.buffer.add(bytes);
      return FlowResult.Continue;
    }
    flow.buffer.add(bytes);
    flow.open = true;
    const result = this.#flow(callback, flow.buffer.size, endOfStream ? 1 : 0);
    flow.open = false;
    if (result !== FlowResult.Continue) flow.buffer.keep();
    return result;
  }

  #overflow(flow: Flow): number {
    this.vm.hit("bodyBytes");
    flow.buffer.clear();
    this.stream.close("wasm_buffer_overflow");
    return FlowResult.Stop;
  }

  #flow(callback: Callback, a: number, b: number): number {
    this.#running = true;
    this.#resumed = false;
    const result = this.vm.run(callback, this, a, b);
    this.#running = false;
    if (result === FAILED) return this.#failure();
    return result === 0 || this.#resumed ? FlowResult.Continue : FlowResult.Stop;
  }

  #resume(): void {
    if (this.over) return;
    if (this.#running) this.#resumed = true;
    else if (this.#paused) {
      this.#paused = false;
      this.stream.continueDownstream();
    }
  }

  #closedUpstream(peer: number): void {
    if (this.#upstreamClosed) return;
    this.#upstreamClosed = true;
    this.#closeEvent(this.vm.callbacks.proxy_on_upstream_connection_close, peer);
  }

  #closeEvent(callback: Callback | null, peer: number): void {
    if (callback !== null && this.created && !this.over && !this.#failed) this.vm.run(callback, this, peer);
  }

  /** done, log, delete: the order of the ABI. */
  #finish(): void {
    const { proxy_on_log: log } = this.vm.callbacks;
    this.end(() => {
      if (log !== null) this.vm.run(log, this);
    });
  }

  #failure(): number {
    const { plugin } = this.root;
    const first = !this.#failed;
    this.#failed = true;
    if (plugin.failOpen) {
      if (first) plugin.usage.bypassedStreams++;
      return FlowResult.Continue;
    }
    if (first) {
      plugin.usage.failedStreams++;
      this.stream.close("wasm_fail_stream");
    }
    return FlowResult.Stop;
  }
}
