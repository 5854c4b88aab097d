import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import { mergeAny } from "./filter-list.ts";

/** Merges the configuration of one socket into another's of the same name; the reason, when that cannot be. */
export function mergeSocket(target: TransportSocket, source: TransportSocket): string | null {
  if (source.configType.case !== "typedConfig") return null;
  if (target.configType.case !== "typedConfig") {
    target.configType = source.configType;
    return null;
  }
  const merged = mergeAny(target.configType.value, source.configType.value);
  if (typeof merged === "string") return merged;
  target.configType = { case: "typedConfig", value: merged };
  return null;
}
