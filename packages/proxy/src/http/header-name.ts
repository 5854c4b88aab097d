/**
 * A header name that code or configuration asks for, made once and compared by identity or by `id`.
 * Never make one from a name that a peer sent: the table only grows.
 */
export class HeaderName {
  static readonly #byText = new Map<string, HeaderName>();

  /** Lower case. */
  readonly text: string;
  readonly id: number;

  private constructor(text: string, id: number) {
    this.text = text;
    this.id = id;
  }

  static of(text: string): HeaderName {
    const lower = text.toLowerCase();
    let name = HeaderName.#byText.get(lower);
    if (name === undefined) {
      name = new HeaderName(lower, HeaderName.#byText.size);
      HeaderName.#byText.set(lower, name);
    }
    return name;
  }
}

/** The names that the data path itself reads or writes. */
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
  contentLength: HeaderName.of("content-length"),
  contentType: HeaderName.of("content-type"),
  te: HeaderName.of("te"),
  trailer: HeaderName.of("trailer"),
  upgrade: HeaderName.of("upgrade"),
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
