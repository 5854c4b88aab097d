import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ReportClient } from "@mixerless/xds";
import type { PluginReport } from "../wasm/plugin-status.ts";
import type { PluginStreamOptions } from "./plugin-stream.ts";

/** Tells the control plane how plugins are; each report takes the place of the one before. */
export type PluginStream = ReportClient<readonly PluginReport[]>;

/**
 * A stream of its own to the control plane that the bootstrap's `ads_config` names. Rejects with a `BootstrapError`
 * where it names none that can be reached.
 */
export async function openPluginStream(bootstrap: Bootstrap, options: PluginStreamOptions): Promise<PluginStream> {
  // Who has no plugins does without.
  const { startPluginStream } = await import("./plugin-stream.ts");
  return startPluginStream(bootstrap, options);
}
