import type { Clock, Timer } from "@mixerless/clock";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import type { DiscoveryStream, DiscoveryTransport } from "./discovery-transport.ts";
import { type ChannelSecurity, GrpcTransport, type StreamMethod } from "./grpc-transport.ts";

export interface ReportClientOptions<Report> {
  readonly clock: Clock;
  /** `first`: nothing was sent on this stream before. */
  readonly encode: (report: Report, first: boolean) => object;
  readonly backoff?: BackoffOptions;
  /** In [0, 1); Math.random if left out. */
  readonly random?: () => number;
  /** A stream has ended; the next one is opened in so many milliseconds. */
  readonly onEnd?: (reason: string, retryIn: number) => void;
}

/** Tells a server how something is, over a stream that is opened again whenever it is lost. */
export interface ReportClient<Report> {
  /** The newest report. It takes the place of one that could not be sent yet. */
  report(report: Report): void;
  close(): void;
}

const BACKOFF: BackoffOptions = { initial: 1000, maximum: 60_000 };
/** Before a server is asked again that does not know the method. */
const UNKNOWN = 600_000;
const UNIMPLEMENTED = /^12 UNIMPLEMENTED/;

/** Over a bidirectional gRPC method, one response to each report. */
export function createReportClient<Report>(
  {
    target,
    security,
    method,
  }: {
    readonly target: string;
    readonly security: ChannelSecurity | undefined;
    readonly method: StreamMethod<object, object>;
  },
  options: ReportClientOptions<Report>,
): ReportClient<Report> {
  return new ReportingClient(new GrpcTransport(target, security, method), options);
}

export class ReportingClient<Report> implements ReportClient<Report> {
  readonly #transport: DiscoveryTransport<object, unknown>;
  readonly #options: ReportClientOptions<Report>;
  readonly #backoff: Backoff;
  #stream: DiscoveryStream<object> | null = null;
  #retry: Timer | null = null;
  /** What the server is to know. */
  #newest: { readonly report: Report } | null = null;
  #sent: { readonly report: Report } | null = null;
  #waiting = false;
  #closed = false;

  constructor(transport: DiscoveryTransport<object, unknown>, options: ReportClientOptions<Report>) {
    this.#transport = transport;
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? BACKOFF, options.random ?? Math.random);
  }

  report(report: Report): void {
    if (this.#closed) return;
    this.#newest = { report };
    if (this.#stream !== null) this.#send();
    else if (this.#retry === null) this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#stream?.cancel();
    this.#transport.close();
  }

  #open(): void {
    this.#retry = null;
    this.#sent = null;
    this.#waiting = false;
    const stream = this.#transport.open({
      onHeaders: () => {},
      onResponse: () => {
        this.#waiting = false;
        this.#backoff.reset();
        this.#send();
      },
      onEnd: (reason) => this.#onEnd(reason),
    });
    this.#stream = stream;
    this.#send();
  }

  /** One report at a time: a slow server gets fewer, never a queue of old ones. */
  #send(): void {
    if (this.#stream === null || this.#waiting || this.#newest === null || this.#newest === this.#sent) return;
    const first = this.#sent === null;
    this.#sent = this.#newest;
    this.#waiting = true;
    this.#stream.send(this.#options.encode(this.#newest.report, first));
  }

  #onEnd(reason: string): void {
    if (this.#closed) return;
    this.#stream = null;
    const pause = UNIMPLEMENTED.test(reason) ? UNKNOWN : this.#backoff.next();
    this.#retry = this.#options.clock.after(pause, () => this.#open());
    this.#options.onEnd?.(reason, pause);
  }
}
