import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ConfigStream, ConfigStreamOptions } from "./config-stream.ts";

/**
 * Opens the stream that the bootstrap's `ads_config` asks for; null when it asks for none. Rejects with a
 * `BootstrapError` when what it asks for can't be.
 */
export async function openConfigStream(
  bootstrap: Bootstrap,
  options: ConfigStreamOptions,
): Promise<ConfigStream | null> {
  const ads = bootstrap.dynamicResources?.adsConfig;
  if (ads === undefined) return null;
  // A proxy without a control plane does without gRPC: 4 MB.
  const { startConfigStream } = await import("./config-stream.ts");
  return startConfigStream(bootstrap, ads, options);
}
