import type { Any } from "@bufbuild/protobuf/wkt";
import type { ConfigFault } from "./config-fault.ts";

/** A configuration that fits its place and is not in use yet. */
export interface PreparedConfig {
  /** From now on new streams get it. */
  take(): void;
  /** Another place refused it. */
  discard(): void;
}

/** A place in a filter chain whose configuration is delivered apart from the chain. */
export interface DiscoveredPlace {
  /** Null after adding faults. */
  prepare(config: Any, faults: ConfigFault[]): PreparedConfig | null;
  /** The configuration has been taken back. */
  withdraw(): void;
}

/** Where such configurations come from. */
export interface DiscoveredConfigs {
  /** Tells `place` of the configuration of that name, at once where it is there already. Gives what ends that. */
  subscribe(name: string, place: DiscoveredPlace): () => void;
  /** A place waits no longer, although nothing has come. */
  gaveUp(): void;
}
