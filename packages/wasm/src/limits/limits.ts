/** What one plugin may use. All can be changed while it runs; what a module is built with holds from its next load on. */
export interface WasmLimits {
  /** Most bytes of a module's file. Default 64 MiB. */
  readonly moduleBytes: number;
  /** Most pages of 64 KiB of memory per VM; fixed when the module is loaded. Default 4,096 (256 MiB). */
  readonly memoryPages: number;
  /** Most elements of all tables together; fixed when the module is loaded. Default 1,000,000. */
  readonly tableElements: number;
  /** Wasm instructions, roughly, of one callback. Default 100,000,000 (about 100 ms). */
  readonly callbackFuel: number;
  /** The same for all callbacks of one stream together. Default 1,000,000,000. */
  readonly streamFuel: number;
  /** The same for start and configure, each. Default 2,000,000,000. */
  readonly startFuel: number;
  /** Milliseconds that start and configure may take, each. Default 5,000. */
  readonly startTimeout: number;
  /** Host calls of one callback; one that moves much counts once more per KiB. Default 100,000. */
  readonly callbackWork: number;
  /** Log messages per second; as many as ten times this may come at once. Default 100. */
  readonly logRate: number;
  /** Bytes of one log message that are kept. Default 16,384. */
  readonly logBytes: number;
  /** Metrics that a plugin may define. Default 10,000. */
  readonly metrics: number;
  /** Bytes of keys and values in the shared data of one vm_id. Default 16 MiB. */
  readonly sharedDataBytes: number;
  /** Keys there. Default 10,000. */
  readonly sharedDataKeys: number;
  /** Queues of one vm_id. Default 100. */
  readonly queues: number;
  /** Bytes waiting in one queue. Default 4 MiB. */
  readonly queueBytes: number;
  /** Bytes that a plugin may add to the header maps of one stream, 32 more for each field. Default 60 KiB. */
  readonly headerGrowth: number;
  /** HTTP and gRPC calls in flight, and DNS look-ups. Default 100. */
  readonly callouts: number;
  /** Bytes of a call's response that are kept. Default 4 MiB. */
  readonly calloutBytes: number;
  /** CEL expressions that are alive. Default 1,000. */
  readonly expressions: number;
  /** Bytes that a stream keeps of a body which a plugin holds back. Default 1 MiB, as Envoy. */
  readonly bodyBytes: number;
}

export type LimitName = keyof WasmLimits;

export const DEFAULT_LIMITS: WasmLimits = {
  moduleBytes: 64 * 1024 * 1024,
  memoryPages: 4096,
  tableElements: 1_000_000,
  callbackFuel: 100_000_000,
  streamFuel: 1_000_000_000,
  startFuel: 2_000_000_000,
  startTimeout: 5000,
  callbackWork: 100_000,
  logRate: 100,
  logBytes: 16_384,
  metrics: 10_000,
  sharedDataBytes: 16 * 1024 * 1024,
  sharedDataKeys: 10_000,
  queues: 100,
  queueBytes: 4 * 1024 * 1024,
  headerGrowth: 60 * 1024,
  callouts: 100,
  calloutBytes: 4 * 1024 * 1024,
  expressions: 1000,
  bodyBytes: 1024 * 1024,
};

/** Fuel is a signed 32-bit number in the module. */
const FUEL_LIMIT = 2_147_483_647;

/** The default limits with some replaced. Throws a RangeError for a value that can't be one. */
export function resolveLimits(own: Partial<WasmLimits>): WasmLimits {
  const limits = { ...DEFAULT_LIMITS, ...own };
  for (const [name, value] of Object.entries(limits)) {
    const top = name === "callbackFuel" || name === "startFuel" ? FUEL_LIMIT : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(value) || value < 0 || value > top) {
      throw new RangeError(`The limit ${name} can't be ${value}. Give a whole number from 0 to ${top}.`);
    }
  }
  if (limits.memoryPages > 65_536) throw new RangeError(`The limit memoryPages can't be above 65536.`);
  return limits;
}
