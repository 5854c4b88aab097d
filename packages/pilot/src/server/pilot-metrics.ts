import type { Clock } from "@mixerless/clock";
import { type Counter, type Family, MetricStore } from "@mixerless/metrics";
import { type ServerObserver, shortTypeName } from "@mixerless/xds";

/** The control plane's own series [control-plane §5.10]. */
export class PilotMetrics {
  readonly store: MetricStore;
  readonly #pushes: Family<Counter>;
  readonly #rejects: Family<Counter>;
  readonly #staleNonces: Family<Counter>;
  readonly #version: string;
  #connected = 0;

  constructor(clock: Clock, version: string) {
    this.store = new MetricStore({ clock, idleExpiry: 0 });
    this.#version = version;
    this.#pushes = this.store.counter({ name: "pilot_xds_pushes", help: "Responses sent, by type." });
    this.#rejects = this.store.counter({
      name: "pilot_total_xds_rejects",
      help: "Responses that a proxy refused, by type.",
    });
    this.#staleNonces = this.store.counter({
      name: "pilot_xds_expired_nonce",
      help: "Answers to responses that were replaced meanwhile.",
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
      onSent: (_connection, { typeUrl }) => this.#pushes.series(["type"], [shortTypeName(typeUrl)]).add(1),
      onNack: (_connection, typeUrl) => this.#rejects.series(["type"], [shortTypeName(typeUrl)]).add(1),
      onStaleNonce: (_connection, typeUrl) => this.#staleNonces.series(["type"], [shortTypeName(typeUrl)]).add(1),
    };
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

  pushTriggered(): void {
    this.store
      .counter({ name: "pilot_push_triggers", help: "Pushes, by what set them off." })
      .series(["type"], ["config"])
      .add(1);
  }

  #setConnected(): void {
    this.store
      .gauge({ name: "pilot_xds", help: "Connected streams." })
      .series(["version"], [this.#version])
      .set(this.#connected);
  }
}
