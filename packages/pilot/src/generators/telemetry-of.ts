import { applicableTelemetry } from "../telemetry/applicable-telemetry.ts";
import { type EffectiveTelemetry, effectiveTelemetry } from "../telemetry/effective-telemetry.ts";
import type { Side } from "../telemetry/side.ts";
import type { Provenance } from "./generated.ts";
import type { GeneratorInput } from "./generator-input.ts";

/** Which side of a request a filter chain is on; a gateway reports as a client does. */
export type ListenerClass = "inbound" | "outbound" | "gateway";

export function sideOf(listenerClass: ListenerClass): Side {
  return listenerClass === "inbound" ? "SERVER" : "CLIENT";
}

/** What holds for the proxy; made once for all that the same objects speak for. */
export function telemetryOf({ push, proxy, memo }: GeneratorInput): EffectiveTelemetry {
  if (memo === undefined) return effectiveTelemetry(push, applicableTelemetry(push, proxy));
  return memo.get(`telemetry of ${memo.identity(proxy)}`, () => {
    const objects = applicableTelemetry(push, proxy);
    const key = `telemetry ${objects.map((object) => memo.identity(object)).join()}`;
    return memo.get(key, () => effectiveTelemetry(push, objects));
  });
}

/** The objects that decide what is measured and logged at the proxy. */
export function telemetryProvenance(input: GeneratorInput): readonly Provenance[] {
  return telemetryOf(input).objects.map((config) => ({ config, path: "spec" }));
}
