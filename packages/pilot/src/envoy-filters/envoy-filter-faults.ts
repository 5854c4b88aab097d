import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { Fault } from "../config/fault.ts";
import { objectLabel } from "../config/read-config.ts";
import type { Generated, Provenance } from "../generators/generated.ts";
import { doubledStats } from "./doubled-stats.ts";
import type { PatchOutcome } from "./patch-outcomes.ts";

/** What of the EnvoyFilters in use does not come about as written, as far as the proxies tell that were looked at. */
export function envoyFilterFaults(outcomes: readonly PatchOutcome[]): Fault[] {
  return outcomes.flatMap((outcome) => {
    const { proxies, changed, nearest, problems } = outcome;
    const where = { config: outcome.config, path: `spec.configPatches[${outcome.index}]` };
    const [problem, ...more] = problems;
    if (problem !== undefined) {
      const others = more.length === 0 ? "" : ` (and ${more.length} more like this)`;
      const told = `The patch cannot be applied: ${problem}${others}.`;
      return [warning(where, "patch-not-applied", told, "Correct the value of the patch.")];
    }
    // Patches for other versions and other kinds of proxies wait for them.
    if (proxies === 0 || changed.length > 0) return [];
    const told = `The patch is for ${proxies} of the proxies that are known and matches nothing of them`;
    return [
      warning(
        where,
        "patch-matched-nothing",
        `${told}; nearest: ${nearest}.`,
        "Correct the match, or remove the patch.",
      ),
    ];
  });
}

/** Warns of every patch that makes a proxy count its requests twice. */
export function doubleCounting(listeners: readonly Generated[]): Fault[] {
  const places = new Map<string, Provenance>();
  for (const listener of listeners)
    for (const place of doubledStats(listener as Generated<Listener>))
      places.set(`${place.config.namespace}/${place.config.name} ${place.path}`, place);
  return [...places.values()].map((place) =>
    warning(
      place,
      "counts-double",
      "The patch adds a second filter of Istio's metrics to a chain: every request counts double.",
      "Start the control plane with --telemetry envoyfilter, or remove the patch.",
    ),
  );
}

function warning({ config, path }: Provenance, code: string, message: string, cure: string): Fault {
  const { file, line, column } = config.originOf(path);
  const object = objectLabel(config.kind, config.namespace, config.name);
  return { code, severity: "warning", object, path, file, line, column, message, cure };
}
