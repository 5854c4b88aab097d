/** What the page is told, as JSON. Times are in seconds, latencies in milliseconds, shares from 0 to 1. */

/** Traffic in the asked window. `null` where there were no requests to tell from. */
export interface Signals {
  readonly requests: number;
  readonly rps: number;
  readonly success: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  /** Bytes a second. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tcpConnections: number;
  /** Of what came by a known way, the share by mutual TLS. */
  readonly mutualTls: number | null;
  /** Requests a second in equal parts of the window, oldest first. */
  readonly history: readonly number[];
}

export interface WorkloadName {
  readonly name: string;
  readonly namespace: string;
}

/** Who calls whom. */
export interface TrafficEdge extends Signals {
  readonly source: WorkloadName;
  readonly destination: WorkloadName;
  readonly service: string;
  /** Who counted. */
  readonly reporter: "source" | "destination";
}

/** One workload, with what it received; a gateway with what it passed on. */
export interface TrafficWorkload extends WorkloadName, Signals {
  /** Whether its proxy is connected to the control plane. */
  readonly connected: boolean;
  readonly gateway: boolean;
}

/** A proxy whose series are read for this page. */
export interface ReadProxy {
  readonly name: string;
  readonly problem: string | null;
  /** Samples of Istio's metrics, and bytes of the page. */
  readonly samples: number;
  readonly bytes: number;
}

/** `GET /api/traffic?seconds=N`. */
export interface TrafficPage {
  /** What the answer covers: less than asked for when less is there. */
  readonly seconds: number;
  readonly edges: readonly TrafficEdge[];
  readonly workloads: readonly TrafficWorkload[];
  readonly proxies: readonly ReadProxy[];
  /** Edges left out since there were too many. */
  readonly refused: number;
  /** Why the control plane could not be asked; null when it could. */
  readonly problem: string | null;
}

/** How one type of configuration stands with one proxy. */
export interface SyncState {
  readonly type: string;
  readonly state: string;
  readonly error: string | null;
}

/** One connected proxy. */
export interface ProxyState {
  readonly name: string;
  readonly version: string;
  readonly connectedAt: string;
  readonly types: readonly SyncState[];
}

/** One object of configuration in use. */
export interface ConfigurationObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string;
  readonly yaml: string;
}

/** What was refused or can't be enforced as written. */
export interface ConfigurationFault {
  readonly severity: string;
  readonly code: string;
  readonly object: string;
  readonly place: string;
  readonly message: string;
}

/** `GET /api/configuration`. */
export interface ConfigurationPage {
  readonly proxies: readonly ProxyState[];
  readonly objects: readonly ConfigurationObject[];
  readonly faults: readonly ConfigurationFault[];
}

/** One plugin of one proxy. */
export interface ExtensionState {
  readonly plugin: string;
  readonly proxy: string;
  readonly state: "fetching" | "compiling" | "running" | "failing" | "rolled_back" | "refused";
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** SHA-256 of the module that serves; empty while none does. */
  readonly digest: string;
  readonly source: string;
  readonly calls: number;
  readonly traps: number;
  readonly microsecondsPerCall: number;
  /** Bytes. */
  readonly memory: number;
  /** What went wrong last, with the position in the module; empty: nothing. */
  readonly fault: string;
}

/** `GET /api/extensions`. */
export interface ExtensionsPage {
  readonly extensions: readonly ExtensionState[];
}
