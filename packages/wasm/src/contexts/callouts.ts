import { Status } from "../hostcalls/status.ts";
import type { Callback } from "../vm/callbacks.ts";
import type {
  Cancellable,
  GrpcRequest,
  GrpcStream,
  Headers,
  HttpCallRequest,
  HttpCallResponse,
} from "../vm/services.ts";
import type { WasmVm } from "../vm/vm.ts";
import type { CallData, Callouts } from "./plugin-root.ts";

/** The low bits of a token say what it stands for. */
const HTTP = 0;
const UNARY = 1;
const STREAM = 2;

interface GrpcCall {
  readonly kind: number;
  stream: GrpcStream | null;
  /** Of a stream: this side has said that it is done. */
  closed: boolean;
  /** Of a unary call: its response, which counts only once the status says that all went well. */
  response: Buffer | null;
}

/** The root context's way of running a callback with what an answer has brought. */
export interface AnswerTarget {
  readonly vm: WasmVm;
  answer(callback: Callback | null, data: CallData, a: number, b?: number, c?: number, d?: number): void;
  setStatus(code: number, message: string): void;
}

/** Counters from which the VM's tokens are made; shared by all plugins in it. */
export interface TokenCounters {
  http: number;
  unary: number;
  stream: number;
  dns: number;
}

export function createTokenCounters(): TokenCounters {
  return { http: 0, unary: 0, stream: 0, dns: 0 };
}

/** The calls of one plugin in one VM that are in flight. Answers never come while the VM runs. */
export class RootCallouts implements Callouts {
  readonly #target: AnswerTarget;
  readonly #tokens: TokenCounters;
  readonly #http = new Map<number, Cancellable>();
  readonly #grpc = new Map<number, GrpcCall>();
  readonly #dns = new Map<number, Cancellable>();
  #closed = false;

  constructor(target: AnswerTarget, tokens: TokenCounters) {
    this.#target = target;
    this.#tokens = tokens;
  }

  /** In flight. */
  get size(): number {
    return this.#http.size + this.#grpc.size + this.#dns.size;
  }

  httpCall(request: HttpCallRequest): number {
    const { vm } = this.#target;
    const { http } = vm.options.services;
    if (!http.hasCluster(request.cluster)) return -Status.BadArgument;
    if (this.#full()) return -Status.InternalFailure;
    const token = ++this.#tokens.http * 4 + HTTP;
    let answered = false;
    const done = (response: HttpCallResponse | null) => {
      answered = true;
      vm.defer(() => this.#onHttp(token, response));
    };
    this.#http.set(token, NOTHING_TO_CANCEL);
    const call = http.call(request, done);
    if (call === null) {
      this.#http.delete(token);
      this.#tokens.http--;
      return -Status.InternalFailure;
    }
    if (!answered) this.#http.set(token, call);
    return token;
  }

  grpcCall(request: GrpcRequest, message: Buffer): number {
    const token = this.#open(UNARY, ++this.#tokens.unary * 4 + UNARY, request);
    if (token > 0) this.#grpc.get(token)?.stream?.send(message, true);
    return token;
  }

  grpcStream(request: GrpcRequest): number {
    return this.#open(STREAM, ++this.#tokens.stream * 4 + STREAM, request);
  }

  grpcSend(token: number, message: Buffer, endStream: boolean): number {
    if ((token & 3) !== STREAM) return Status.BadArgument;
    const call = this.#grpc.get(token);
    if (call === undefined || call.closed) return Status.NotFound;
    if (endStream) call.closed = true;
    call.stream?.send(message, endStream);
    return Status.Ok;
  }

  grpcClose(token: number): number {
    if ((token & 3) !== STREAM) return this.grpcCancel(token);
    const call = this.#grpc.get(token);
    if (call === undefined) return Status.NotFound;
    if (!call.closed) {
      call.closed = true;
      call.stream?.end();
    }
    return Status.Ok;
  }

  grpcCancel(token: number): number {
    const kind = token & 3;
    if (kind !== UNARY && kind !== STREAM) return Status.BadArgument;
    const call = this.#grpc.get(token);
    if (call === undefined) return Status.NotFound;
    this.#grpc.delete(token);
    call.stream?.cancel();
    return Status.Ok;
  }

  resolveDns(host: string): number {
    if (this.#full()) return -Status.InternalFailure;
    const { vm } = this.#target;
    const token = ++this.#tokens.dns;
    const lookup = vm.options.services.dns.resolve(host, (answers) =>
      vm.defer(() => {
        if (!this.#dns.delete(token)) return;
        const data = encodeAnswers(answers);
        this.#target.answer(vm.callbacks.envoy_on_resolve_dns, { data }, token, data.length);
      }),
    );
    this.#dns.set(token, lookup);
    return token;
  }

  /** Gives everything up; nothing arrives any more. */
  close(): void {
    this.#closed = true;
    for (const call of [...this.#http.values(), ...this.#dns.values()]) call.cancel();
    for (const call of this.#grpc.values()) call.stream?.cancel();
    this.#http.clear();
    this.#grpc.clear();
    this.#dns.clear();
  }

  #full(): boolean {
    if (!this.#closed && this.size < this.#target.vm.limits.callouts) return false;
    this.#target.vm.hit("callouts");
    return true;
  }

  #onHttp(token: number, response: HttpCallResponse | null): void {
    if (!this.#http.delete(token)) return;
    const { vm } = this.#target;
    const callback = vm.callbacks.proxy_on_http_call_response;
    if (response === null || response.body.length > vm.limits.calloutBytes) {
      if (response !== null) vm.hit("calloutBytes");
      this.#target.setStatus(Status.BrokenConnection, "reset");
      this.#target.answer(callback, {}, token, 0, 0, 0);
      return;
    }
    const { headers, body, trailers } = response;
    this.#target.answer(callback, { headers, body, trailers }, token, headers.length, body.length, trailers.length);
  }

  #open(kind: number, token: number, request: GrpcRequest): number {
    if (this.#full()) return -Status.InternalFailure;
    const call: GrpcCall = { kind, stream: null, closed: false, response: null };
    this.#grpc.set(token, call);
    call.stream = this.#target.vm.options.services.grpc.open(request, {
      onInitialMetadata: (metadata) => {
        if (kind === STREAM) this.#later(token, () => this.#onInitialMetadata(token, metadata));
      },
      onMessage: (message) => this.#later(token, () => this.#onMessage(token, call, message)),
      onTrailingMetadata: (metadata) => {
        if (kind === STREAM) this.#later(token, () => this.#onTrailingMetadata(token, metadata));
      },
      onClose: (status, message) => this.#later(token, () => this.#onClose(token, call, status, message)),
    });
    if (call.stream !== null) return token;
    this.#grpc.delete(token);
    return -Status.InternalFailure;
  }

  #later(token: number, deliver: () => void): void {
    this.#target.vm.defer(() => {
      if (this.#grpc.has(token)) deliver();
    });
  }

  #onInitialMetadata(token: number, metadata: Headers): void {
    const callback = this.#target.vm.callbacks.proxy_on_grpc_receive_initial_metadata;
    if (metadata.length > 0) this.#target.answer(callback, { initialMetadata: metadata }, token, metadata.length);
  }

  #onMessage(token: number, call: GrpcCall, message: Buffer): void {
    if (message.length > this.#target.vm.limits.calloutBytes) {
      this.#target.vm.hit("calloutBytes");
      call.stream?.cancel();
      this.#onClose(token, call, 8, "the message is larger than the plugin may receive");
      return;
    }
    if (call.kind === UNARY) call.response = message;
    else this.#receive(token, message);
  }

  #receive(token: number, message: Buffer): void {
    this.#target.answer(this.#target.vm.callbacks.proxy_on_grpc_receive, { message }, token, message.length);
  }

  #onTrailingMetadata(token: number, metadata: Headers): void {
    const callback = this.#target.vm.callbacks.proxy_on_grpc_receive_trailing_metadata;
    if (metadata.length > 0) this.#target.answer(callback, { trailingMetadata: metadata }, token, metadata.length);
  }

  /** A unary call that went well ends with its response; everything else ends with a status. */
  #onClose(token: number, call: GrpcCall, status: number, message: string): void {
    this.#grpc.delete(token);
    if (call.kind === UNARY && status === 0) {
      if (call.response !== null) this.#receive(token, call.response);
      else this.#onClose(token, call, INTERNAL, "the response has no message");
      return;
    }
    this.#target.setStatus(status, message);
    this.#target.answer(this.#target.vm.callbacks.proxy_on_grpc_close, {}, token, status);
  }
}

/** Of gRPC. */
const INTERNAL = 13;

const NOTHING_TO_CANCEL: Cancellable = { cancel: () => {} };

/** `u32 n, n × u32 seconds, n × zero-terminated text`; nothing for a failure [proxy-wasm §5.3]. */
function encodeAnswers(answers: readonly { readonly address: string; readonly ttl: number }[]): Buffer {
  if (answers.length === 0) return Buffer.alloc(0);
  const head = Buffer.alloc(4 + answers.length * 4);
  head.writeUInt32LE(answers.length, 0);
  for (const [at, { ttl }] of answers.entries()) head.writeUInt32LE(ttl >>> 0, 4 + at * 4);
  return Buffer.concat([head, Buffer.from(answers.map(({ address }) => `${address}\0`).join(""), "latin1")]);
}
