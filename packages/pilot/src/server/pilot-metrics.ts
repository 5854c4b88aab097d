import type { Clock } from "@mixerless/clock";
import { type Counter, type Family, type Histogram, MetricStore } from "@mixerless/metrics";
import { type ProxyConnection, type ServerObserver, shortTypeName } from "@mixerless/xds";
import type { PushObserver } from "../push/pusher.ts";
import { PUSH_STATUS, type PushStatus, type PushStatusName } from "./push-status.ts";

const PUSH_BUCKETS = [0.01, 0.1, 1, 3, 5, 10, 20, 30];
const CONVERGENCE_BUCKETS = [0.1, 0.5, 1, 3, 5, 10, 20, 30];
const CONTEXT_BUCKETS = [0.01, 0.1, 0.5, 1, 3, 5];

/** What a kind is called in `pilot_push_triggers`; any other is `config`. */
const TRIGGERS: Readonly<Record<string, string>> = {
  Pod: "endpoint",
  EndpointSlice: "endpoint",
  WorkloadEntry: "endpoint",
  Service: "service",
  ServiceEntry: "service",
  Namespace: "namespace",
  MeshConfig: "global",
};

/** The same in `pilot_inbound_updates`. */
const UPDATE_TYPES: Readonly<Record<string, string>> = {
  Pod: "eds",
  EndpointSlice: "eds",
  WorkloadEntry: "eds",
  Service: "svc",
  ServiceEntry: "svc",
};

/** Types whose refusals are counted for each proxy as well. */
const NAMED_REJECTS = ["cds", "eds", "lds", "rds"];

/** gRPC's codes by number, as Go names them. */
const CODES: readonly string[] = [
  ...["OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"],
  ...["PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented"],
  ...["Internal", "Unavailable", "DataLoss", "Unauthenticated"],
];

/** The control plane's own series [control-plane §5.10]. */
export class PilotMetrics {
  readonly store: MetricStore;
  readonly #pushes: Family<Counter>;
  readonly #rejects: Family<Counter>;
  readonly #staleNonces: Family<Counter>;
  readonly #internalErrors: Family<Counter>;
  readonly #writeTimeouts: Family<Counter>;
  readonly #pushTime: Family<Histogram>;
  readonly #sendTime: Family<Histogram>;
  readonly #size: Family<Histogram>;
  readonly #convergence: Family<Histogram>;
  readonly #debounce: Family<Histogram>;
  readonly #contextTime: Family<Histogram>;
  readonly #triggers: Family<Counter>;
  readonly #updates: Family<Counter>;
  readonly #keysFetched: Counter;
  readonly #keysMissed: Counter;
  readonly #clock: Clock;
  readonly #version: string;
  /** When the last change began that a proxy has not been sent yet. */
  #pushed = new WeakSet<ProxyConnection>();
  readonly #started: number;
  #pushStart: number | null = null;
  #connected = 0;

  constructor(clock: Clock, version: string) {
    this.store = new MetricStore({ clock, idleExpiry: 0 });
    this.#version = version;
    this.#clock = clock;
    this.#started = clock.monotonic();
    const fetched = (result: string, help: string) =>
      this.store.counter({ name: `pilot_jwks_resolver_network_fetch_${result}_total`, help }).series([], []);
    this.#keysFetched = fetched("success", "Key sets that were fetched for RequestAuthentications.");
    this.#keysMissed = fetched("fail", "Tries to fetch a key set that gave none.");
    this.#pushes = this.store.counter({ name: "pilot_xds_pushes", help: "Responses sent, by type." });
    this.#rejects = this.store.counter({
      name: "pilot_total_xds_rejects",
      help: "Responses that a proxy refused, by type.",
    });
    this.#staleNonces = this.store.counter({
      name: "pilot_xds_expired_nonce",
      help: "Answers to responses that were replaced meanwhile.",
    });
    this.#internalErrors = this.store.counter({
      name: "pilot_total_xds_internal_errors",
      help: "Resources that could not be generated, by type.",
    });
    this.#writeTimeouts = this.store.counter({
      name: "pilot_xds_write_timeout",
      help: "Streams ended because the client did not read.",
    });
    this.#pushTime = this.#seconds("pilot_xds_push_time", "Generating one response, by type.", PUSH_BUCKETS);
    this.#sendTime = this.#seconds("pilot_xds_send_time", "Handing one response to the transport.", PUSH_BUCKETS);
    this.#convergence = this.#seconds(
      "pilot_proxy_convergence_time",
      "From a change to the first response of its push having left for a proxy.",
      CONVERGENCE_BUCKETS,
    );
    this.#debounce = this.#seconds("pilot_debounce_time", "From a change to its push.", PUSH_BUCKETS);
    this.#contextTime = this.#seconds("pilot_pushcontext_init_seconds", "Indexing a revision.", CONTEXT_BUCKETS);
    this.#size = this.store.histogram({
      name: "pilot_xds_config_size_bytes",
      help: "Bytes of the resources of a response, by type.",
      buckets: [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000],
    });
    this.#triggers = this.store.counter({ name: "pilot_push_triggers", help: "Pushes, by what set them off." });
    this.#updates = this.store.counter({
      name: "pilot_inbound_updates",
      help: "Changes of objects, by what they are.",
    });
    this.store.gauge({ name: "pilot_info", help: "1, with the version." }).series(["version"], [version]).set(1);
    this.#setConnected();
  }

  /** To be handed to the xDS server. */
  get observer(): ServerObserver {
    return {
      onConnect: () => {
        this.#connected++;
        this.#setConnected();
      },
      onDisconnect: () => {
        this.#connected--;
        this.#setConnected();
      },
      onSent: (_connection, { typeUrl, bytes, generateTime }) => {
        const type = shortTypeName(typeUrl);
        this.#pushes.series(["type"], [type]).add(1);
        this.#pushTime.series(["type"], [type]).record(generateTime / 1000);
        this.#size.series(["type"], [type]).record(bytes);
      },
      onWritten: (connection, _typeUrl, milliseconds) => {
        this.#sendTime.series([], []).record(milliseconds / 1000);
        if (this.#pushStart === null || this.#pushed.has(connection)) return;
        this.#pushed.add(connection);
        this.#convergence.series([], []).record((this.#clock.monotonic() - this.#pushStart) / 1000);
      },
      onInternalError: (_connection, typeUrl) => this.#internalErrors.series(["type"], [shortTypeName(typeUrl)]).add(1),
      onWriteTimeout: () => this.#writeTimeouts.series([], []).add(1),
      onNack: (connection, typeUrl, nack) => this.#onNack(connection.node.id, shortTypeName(typeUrl), nack?.code),
      onStaleNonce: (_connection, typeUrl) => this.#staleNonces.series(["type"], [shortTypeName(typeUrl)]).add(1),
    };
  }

  /** After a try to fetch a key set. */
  keysFetched(ok: boolean): void {
    (ok ? this.#keysFetched : this.#keysMissed).add(1);
  }

  /** After a snapshot was taken over. */
  configuration(services: number, virtualServices: number, refused: number): void {
    this.store.gauge({ name: "pilot_services", help: "Services known." }).series([], []).set(services);
    this.store
      .gauge({ name: "pilot_virt_services", help: "VirtualServices known." })
      .series([], [])
      .set(virtualServices);
    this.store
      .gauge({ name: "pilot_total_rejected_configs", help: "Configuration objects refused at present." })
      .series([], [])
      .set(refused);
  }

  /** After a push, of the revision that it brought. */
  pushStatus(status: PushStatus): void {
    for (const [name, help] of Object.entries(PUSH_STATUS)) {
      const about = status[name as PushStatusName];
      this.store.gauge({ name, help }).series([], []).set(about.size);
    }
  }

  /** Before the series are shown. */
  refresh(): void {
    this.store
      .gauge({ name: "istiod_uptime_seconds", help: "Since the control plane was started." })
      .series([], [])
      .set((this.#clock.monotonic() - this.#started) / 1000);
  }

  #onNack(node: string, type: string, code: number | undefined): void {
    this.#rejects.series(["type"], [type]).add(1);
    if (!NAMED_REJECTS.includes(type)) return;
    this.store
      .counter({ name: `pilot_xds_${type}_reject`, help: "Responses of this type that a proxy refused." })
      .series(["node", "err"], [node, CODES[code ?? 2] ?? `Code(${code})`])
      .add(1);
  }

  /** To be handed to the pusher. */
  get pushObserver(): PushObserver {
    return {
      onChange: (kind) => this.#updates.series(["type"], [UPDATE_TYPES[kind] ?? "config"]).add(1),
      onPush: (waited, kinds) => {
        this.#debounce.series([], []).record(waited / 1000);
        this.#pushStart = this.#clock.monotonic() - waited;
        this.#pushed = new WeakSet();
        const types = new Set([...kinds].map((kind) => TRIGGERS[kind] ?? "config"));
        for (const type of types) this.#triggers.series(["type"], [type]).add(1);
      },
      onContext: (milliseconds) => this.#contextTime.series([], []).record(milliseconds / 1000),
    };
  }

  #seconds(name: string, help: string, buckets: readonly number[]): Family<Histogram> {
    return this.store.histogram({ name, help: `Seconds. ${help}`, buckets });
  }

  #setConnected(): void {
    this.store
      .gauge({ name: "pilot_xds", help: "Connected streams." })
      .series(["version"], [this.#version])
      .set(this.#connected);
  }
}
