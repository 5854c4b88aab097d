import net from "node:net";
import { getSystemErrorName } from "node:util";

/** Where a socket's bytes are read to, and who is told. */
export interface ReadTarget {
  readonly buffer: Buffer;
  readonly onRead: (length: number) => void;
}

/** What Node's sockets wrap: a stream of libuv. Neither its name nor these members are documented. */
interface StreamHandle {
  /** Bytes that the system has not taken over yet. */
  readonly writeQueueSize: number;
  /**
   * 0 or a negative error number. Where the system took everything at once the request is as new; else `oncomplete`
   * follows, also for bytes that have left the queue by then, and until it does request and bytes are in use.
   */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

interface WriteRequest {
  oncomplete: (status: number) => void;
}

/** What Node keeps to itself about its streams. */
interface StreamInternals {
  readonly WriteWrap: new () => WriteRequest;
  /** Results of the last call into any stream. */
  readonly streamBaseState: ArrayLike<number>;
  /** Its index: not 0 when the last write goes on after its call. */
  readonly kLastWriteWasAsync: number;
}

/**
 * Ways around Node's stream layer for plaintext sockets (decision 20): accepted sockets read into a buffer of ours, as
 * the public API offers for connecting ones, and what the system takes at once is handed to it without a stream's
 * bookkeeping. Both need members that Node doesn't document, so each is looked for before it is used.
 */
export class DirectSockets {
  readonly #internals: StreamInternals;

  private constructor(internals: StreamInternals) {
    this.#internals = internals;
  }

  /** Null where this version of Node does not have what is needed. */
  static detect(): DirectSockets | null {
    try {
      const { binding } = process as unknown as { binding(name: string): Partial<StreamInternals> };
      const internals = binding.call(process, "stream_wrap");
      return isComplete(internals) ? new DirectSockets(internals) : null;
    } catch {
      return null;
    }
  }

  /**
   * Gives an accepted socket's connection to another socket, that reads into the target. The old one only counts the
   * connection of its server, until the new one is closed. Null where that can't be done or something was read already.
   */
  adopt(accepted: net.Socket, target: ReadTarget): net.Socket | null {
    const holder = accepted as unknown as { _handle: unknown };
    const handle = holder._handle;
    if (accepted.destroyed || accepted.readableLength > 0 || accepted.readableEnded) return null;
    if (!isStreamHandle(handle)) return null;
    const options = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: target.buffer,
        callback: (length: number) => {
          target.onRead(length);
          return true;
        },
      },
    };
    holder._handle = null;
    const socket = new net.Socket(options);
    // Not pauseOnCreate: a socket that never began to read forgets a pause that follows a resume in the same turn.
    socket.pause();
    socket.once("close", () => accepted.destroy());
    return socket;
  }

  /** Writes to this socket; null where that has to go through the stream. */
  writer(socket: net.Socket, onFreed: (bytes: Buffer) => void): DirectWriter | null {
    const { _handle: handle } = socket as unknown as { _handle: unknown };
    return isStreamHandle(handle) ? new DirectWriter(socket, handle, this.#internals, onFreed) : null;
  }
}

function isComplete(internals: Partial<StreamInternals>): internals is StreamInternals {
  const { WriteWrap, streamBaseState, kLastWriteWasAsync } = internals;
  if (typeof WriteWrap !== "function" || typeof kLastWriteWasAsync !== "number") return false;
  return ArrayBuffer.isView(streamBaseState) && typeof streamBaseState[kLastWriteWasAsync] === "number";
}

/** A TCP connection or a Unix domain socket: TLS has a handle with the same members, that allows one write at a time. */
function isStreamHandle(handle: unknown): handle is StreamHandle {
  if (typeof handle !== "object" || handle === null) return false;
  if (!["TCP", "Pipe"].includes(handle.constructor.name)) return false;
  const { writeBuffer, writeQueueSize } = handle as Partial<StreamHandle>;
  return typeof writeBuffer === "function" && typeof writeQueueSize === "number";
}

/** Writes of one socket that go by its stream. Where both are used, libuv's queue keeps them in order. */
export class DirectWriter {
  readonly #socket: net.Socket;
  readonly #handle: StreamHandle;
  readonly #internals: StreamInternals;
  readonly #onFreed: (bytes: Buffer) => void;
  #request: WriteRequest | null = null;
  #pending: Buffer | null = null;

  constructor(socket: net.Socket, handle: StreamHandle, internals: StreamInternals, onFreed: (bytes: Buffer) => void) {
    this.#socket = socket;
    this.#handle = handle;
    this.#internals = internals;
    this.#onFreed = onFreed;
  }

  /** True while everything before has left: only then `write` may be called. */
  get idle(): boolean {
    return this.#pending === null && this.#socket.writableLength === 0;
  }

  /** Bytes of the last write that the system has not taken yet; at most what was passed. */
  get unsent(): number {
    return this.#pending === null ? 0 : Math.min(this.#pending.length, this.#handle.writeQueueSize);
  }

  /** Sends the first `length` bytes of `scratch`, which is given to `onFreed` once nobody reads it any more. */
  write(scratch: Buffer, length: number): void {
    const request = this.#request ?? this.#createRequest();
    const error = this.#handle.writeBuffer(request, scratch.subarray(0, length));
    const { streamBaseState, kLastWriteWasAsync } = this.#internals;
    if (error === 0 && streamBaseState[kLastWriteWasAsync] !== 0) {
      this.#pending = scratch;
      this.#request = null;
      return;
    }
    this.#onFreed(scratch);
    if (error !== 0) this.#socket.destroy(writeError(error));
  }

  #createRequest(): WriteRequest {
    const request = new this.#internals.WriteWrap();
    request.oncomplete = (status) => {
      const scratch = this.#pending;
      this.#pending = null;
      if (scratch !== null) this.#onFreed(scratch);
      if (status < 0 && !this.#socket.destroyed) this.#socket.destroy(writeError(status));
    };
    this.#request = request;
    return request;
  }
}

/** As Node's own streams report it. */
function writeError(number: number): Error {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`write ${code}`), { errno: number, code, syscall: "write" });
}
