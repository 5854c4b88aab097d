import type { StreamInfo } from "../stream/stream-info.ts";
import type { ConnectionFilter, ConnectionFilterFactory, FilteredBy } from "./connection-filter.ts";
import type { ConnectionGate } from "./connection-gate.ts";

const NOTHING = Buffer.alloc(0);

/** A gate among filters with a say in connections. */
export function gateFilter(gate: ConnectionGate): ConnectionFilterFactory {
  return {
    create: (info, connection) => new GateFilter(gate, info, connection),
    warming: false,
    close: () => {},
  };
}

class GateFilter implements ConnectionFilter {
  readonly #gate: ConnectionGate;
  readonly #info: StreamInfo;
  readonly #connection: FilteredBy;
  readonly full = false;

  constructor(gate: ConnectionGate, info: StreamInfo, connection: FilteredBy) {
    this.#gate = gate;
    this.#info = info;
    this.#connection = connection;
  }

  onNewConnection(): boolean {
    const refusal = this.#gate.refusal(this.#info);
    if (refusal !== null) this.#connection.close(refusal);
    return refusal === null;
  }

  onRead(bytes: Buffer): Buffer {
    return bytes;
  }
  onWrite(bytes: Buffer): Buffer {
    return bytes;
  }
  takeRead(): Buffer {
    return NOTHING;
  }
  takeWrite(): Buffer {
    return NOTHING;
  }
  onClosed(): void {}
}
