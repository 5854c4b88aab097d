import type { Clock, Timer } from "@mixerless/clock";
import type { PluginReport, PluginStream } from "@mixerless/proxy";

export interface PluginReporterOptions {
  readonly clock: Clock;
  /** How the plugins are; may reject. */
  readonly look: () => Promise<readonly PluginReport[]>;
  readonly open: () => Promise<PluginStream>;
}

/** Milliseconds between two looks: a change of state is told at the next one. */
const INTERVAL = 2000;
/** Looks after which counts that have moved are told as well. */
const COUNTS = 5;

/** Tells the control plane how the plugins are. Opens no stream before there is one. */
export class PluginReporter {
  readonly #options: PluginReporterOptions;
  readonly #timer: Timer;
  #stream: Promise<PluginStream | null> | null = null;
  #looking = false;
  #looks = 0;
  #told = { states: "[]", counts: "[]" };
  #closed = false;

  constructor(options: PluginReporterOptions) {
    this.#options = options;
    this.#timer = options.clock.every(INTERVAL, () => void this.#look());
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
    void this.#stream?.then((stream) => stream?.close());
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#looks++;
    // Workers that don't answer now will later.
    const reports = await this.#options.look().catch(() => null);
    if (reports !== null && this.#isNews(reports)) await this.#tell(reports);
    this.#looking = false;
  }

  #isNews(reports: readonly PluginReport[]): boolean {
    const states = JSON.stringify(reports.map(stateOf));
    const counts = JSON.stringify(reports);
    const isNews = states !== this.#told.states || (this.#looks >= COUNTS && counts !== this.#told.counts);
    if (!isNews) return false;
    this.#told = { states, counts };
    this.#looks = 0;
    return true;
  }

  async #tell(reports: readonly PluginReport[]): Promise<void> {
    if (this.#closed) return;
    // A bootstrap that names no control plane has nobody who would listen.
    this.#stream ??= this.#options.open().catch(() => null);
    const stream = await this.#stream;
    if (!this.#closed) stream?.report(reports);
  }
}

function stateOf({ name, place, state, digest, refusedDigest, version, lastError }: PluginReport) {
  return [name, place, state, digest, refusedDigest, version, lastError?.message];
}
