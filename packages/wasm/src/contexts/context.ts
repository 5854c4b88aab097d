import type { Pair } from "../encoding/pairs.ts";
import { Status, StreamType } from "../hostcalls/status.ts";
import type { HeaderFields, LocalReply, StreamFacts } from "../vm/stream-host.ts";
import type { GuestBuffer } from "./guest-buffer.ts";
import type { PluginRoot } from "./plugin-root.ts";

/**
 * What a number inside a VM stands for: a plugin, a stream or a connection. Host calls ask the context that they act
 * on; what it has nothing to say to is answered here.
 */
export abstract class Context {
  readonly id: number;
  /** Fuel that all its callbacks together still have. */
  fuelLeft = Number.POSITIVE_INFINITY;
  /** Bytes that were added to its header maps. */
  headerGrowth = 0;
  /** What its messages are marked with [proxy-wasm §17]. */
  abstract readonly logPrefix: string;
  /** The plugin's context; its own for a root context. */
  abstract readonly root: PluginRoot;
  /** Null for a root context. */
  abstract readonly stream: StreamFacts | null;

  constructor(id: number) {
    this.id = id;
  }

  /** A map to read, or null where none is attached. */
  readable(_map: number): HeaderFields | null {
    return null;
  }

  /** The same as a list, for those that nobody can change: answers to calls. */
  readOnlyPairs(_map: number): readonly Pair[] | null {
    return null;
  }

  /** A map to change, or null where none may be. */
  writable(_map: number): HeaderFields | null {
    return null;
  }

  /** Told after a change of a map. */
  changed(_map: number): void {}

  buffer(_type: number): GuestBuffer | null {
    return null;
  }

  /** True while the stream is logged: all maps can be read then, and one that isn't there is merely not found. */
  get logging(): boolean {
    return false;
  }

  /** A stream of another kind isn't there to be resumed, which is harmless. */
  continueStream(type: number): number {
    return type === StreamType.Upstream ? Status.Unimplemented : Status.Ok;
  }

  closeStream(_type: number): number {
    return Status.Ok;
  }

  sendLocalReply(_reply: LocalReply): number {
    return Status.Ok;
  }

  clearRouteCache(): void {}

  /** The VM has failed; no callback comes any more. */
  abandon(): void {}
}
