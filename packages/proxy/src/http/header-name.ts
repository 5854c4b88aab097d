const INITIAL_SLOTS = 512;

/** Bytes of names are folded and mixed into a hash one after the other, as a parser walks over them. */
export const NAME_HASH_SEED = 0x2f0b;

export function mixNameHash(hash: number, lowerCaseByte: number): number {
  return (Math.imul(hash, 31) + lowerCaseByte) | 0;
}

/**
 * A header name that code or configuration asks for, made once and compared by identity or by `id`.
 * Never make one with {@link of} from a name that a peer sent: the table only grows.
 */
export class HeaderName {
  static readonly #byText = new Map<string, HeaderName>();
  static readonly #byId: HeaderName[] = [];
  /** Open addressing by hash; -1 is a free slot. Sparse on purpose: misses are as common as hits. */
  static #slots = new Int32Array(INITIAL_SLOTS).fill(-1);

  /** Lower case. */
  readonly text: string;
  /** Counts from 0; -1 for a name that is not in the table. */
  readonly id: number;
  /** False when no message may carry the name; a HeaderMap ignores attempts to write it. */
  readonly valid: boolean;
  /** One of HTTP/2's names that begin with a colon. HTTP/1.1 never writes them as fields. */
  readonly pseudo: boolean;
  readonly #hash: number;

  private constructor(text: string, id: number) {
    this.text = text;
    this.id = id;
    this.valid = /^(:[a-z]+|[!#$%&'*+\-.^_`|~0-9a-z]+)$/.test(text);
    this.pseudo = text.startsWith(":");
    this.#hash = hashOf(text);
  }

  static of(text: string): HeaderName {
    const lower = text.toLowerCase();
    const known = HeaderName.#byText.get(lower);
    if (known !== undefined) return known;
    const name = new HeaderName(lower, HeaderName.#byId.length);
    HeaderName.#byText.set(lower, name);
    HeaderName.#byId.push(name);
    if (HeaderName.#byId.length * 4 > HeaderName.#slots.length) HeaderName.#grow();
    else HeaderName.#place(name);
    return name;
  }

  /**
   * For a name that comes from a peer or a plugin at run time: the table's own, if it is there, else one
   * that is compared by its text and forgotten.
   */
  static transient(text: string): HeaderName {
    const lower = text.toLowerCase();
    return HeaderName.#byText.get(lower) ?? new HeaderName(lower, -1);
  }

  /** Names in the table. Ids are below it. */
  static get count(): number {
    return HeaderName.#byId.length;
  }

  /** The text of an id; "" for none. */
  static textOf(id: number): string {
    return HeaderName.#byId[id]?.text ?? "";
  }

  /** The id of the name in `buffer`, in any case, whose folded bytes mix to `hash`; -1 when the table has none. */
  static lookup(buffer: Buffer, start: number, end: number, hash: number): number {
    const slots = HeaderName.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot] as number;
      if (id < 0) return -1;
      const name = HeaderName.#byId[id] as HeaderName;
      if (name.#hash === hash && sameName(name.text, buffer, start, end)) return id;
    }
  }

  static #place(name: HeaderName): void {
    const slots = HeaderName.#slots;
    const mask = slots.length - 1;
    let slot = name.#hash & mask;
    while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask;
    slots[slot] = name.id;
  }

  static #grow(): void {
    HeaderName.#slots = new Int32Array(HeaderName.#slots.length * 2).fill(-1);
    for (const name of HeaderName.#byId) HeaderName.#place(name);
  }
}

function hashOf(text: string): number {
  let hash = NAME_HASH_SEED;
  for (let i = 0; i < text.length; i++) hash = mixNameHash(hash, text.charCodeAt(i));
  return hash;
}

function sameName(text: string, buffer: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = buffer[start + i] as number;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (text.charCodeAt(i) !== folded) return false;
  }
  return true;
}

/**
 * The names that the data path itself reads or writes. The first ones are in this order for the codecs:
 * pseudo-headers, then what belongs to one connection only, then content-length.
 */
export const H = {
  method: HeaderName.of(":method"),
  path: HeaderName.of(":path"),
  authority: HeaderName.of(":authority"),
  scheme: HeaderName.of(":scheme"),
  status: HeaderName.of(":status"),
  host: HeaderName.of("host"),
  connection: HeaderName.of("connection"),
  keepAlive: HeaderName.of("keep-alive"),
  proxyConnection: HeaderName.of("proxy-connection"),
  transferEncoding: HeaderName.of("transfer-encoding"),
  te: HeaderName.of("te"),
  upgrade: HeaderName.of("upgrade"),
  http2Settings: HeaderName.of("http2-settings"),
  contentLength: HeaderName.of("content-length"),
  contentType: HeaderName.of("content-type"),
  trailer: HeaderName.of("trailer"),
  expect: HeaderName.of("expect"),
  date: HeaderName.of("date"),
  server: HeaderName.of("server"),
  userAgent: HeaderName.of("user-agent"),
  location: HeaderName.of("location"),
  xRequestId: HeaderName.of("x-request-id"),
  xForwardedFor: HeaderName.of("x-forwarded-for"),
  xForwardedProto: HeaderName.of("x-forwarded-proto"),
  xForwardedPort: HeaderName.of("x-forwarded-port"),
  xForwardedClientCert: HeaderName.of("x-forwarded-client-cert"),
  xEnvoyUpstreamServiceTime: HeaderName.of("x-envoy-upstream-service-time"),
  xEnvoyAttemptCount: HeaderName.of("x-envoy-attempt-count"),
  xEnvoyDecoratorOperation: HeaderName.of("x-envoy-decorator-operation"),
  xEnvoyExpectedRqTimeoutMs: HeaderName.of("x-envoy-expected-rq-timeout-ms"),
  xEnvoyOriginalPath: HeaderName.of("x-envoy-original-path"),
  grpcStatus: HeaderName.of("grpc-status"),
  grpcMessage: HeaderName.of("grpc-message"),
} as const;
