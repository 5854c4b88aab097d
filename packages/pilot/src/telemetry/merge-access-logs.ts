// How the access logging of several Telemetry objects becomes one list of logs [telemetry §4.4].
import { compareText } from "../config/config-object.ts";
import type { TelemetryAccessLogging } from "../config/kinds/policies.ts";
import { below, override, type Place, type Setting } from "./setting.ts";
import { concerns, type Side } from "./side.ts";

/** The entries of `accessLogging` of one object, each with its place. */
export type AccessLogLevel = readonly { readonly entry: TelemetryAccessLogging; readonly place: Place }[];

/** What goes to one provider. */
export interface ProviderLog {
  /** As it was written last. */
  readonly name: string;
  readonly enabled: Setting<boolean>;
  /** Only what makes this expression true is logged. */
  readonly filter?: Setting<string>;
}

/** The access logs of one side. */
export interface EffectiveAccessLogs {
  readonly providers: Setting<readonly string[]>;
  /** Sorted by name; those that are in scope, switched on or off. */
  readonly logs: readonly ProviderLog[];
}

interface Draft {
  readonly name: string;
  readonly enabled?: Setting<boolean>;
  readonly filter?: Setting<string>;
}

/**
 * `levels`: from the farthest to the nearest, those that say anything about logs. Undefined where nobody does: then the
 * mesh's own log file counts.
 */
export function mergeAccessLogs(
  levels: readonly AccessLogLevel[],
  defaults: Setting<readonly string[]>,
  side: Side,
): EffectiveAccessLogs | undefined {
  if (levels.length === 0 && defaults.value.length === 0) return undefined;
  const mine = levels.map((level) => level.filter(({ entry }) => concerns(entry.mode, side)));
  const providers = inScope(mine, defaults);
  const wanted = new Set(providers.value.map((name) => name.toLowerCase()));
  const drafts = new Map<string, Draft>(providers.value.map((name) => [name.toLowerCase(), { name }]));
  let parent = defaults.value;
  if (levels.length === 0) for (const name of parent) switchTo(drafts, name, true, defaults.place);
  for (const { entry, place } of mine.flat()) {
    if (entry.providers.length > 0) parent = entry.providers;
    for (const name of parent) {
      if (!wanted.has(name.toLowerCase())) continue;
      const off = entry.disabled === true;
      switchTo(drafts, name, !off, off ? below(place, "disabled") : place);
      // An entry that names its providers says all there is to say about their filter.
      if (entry.providers.length > 0) filterBy(drafts, name, entry.filter, below(place, "filter", "expression"));
    }
  }
  const logs = [...drafts.values()].flatMap(({ name, enabled, filter }) =>
    enabled === undefined ? [] : [{ name, enabled, ...(filter !== undefined && filter.value !== "" && { filter }) }],
  );
  return Object.freeze({ providers, logs: logs.sort((a, b) => compareText(a.name, b.name)) });
}

/** The last level that names any provider names all of them; within it they add up. */
function inScope(levels: readonly AccessLogLevel[], defaults: Setting<readonly string[]>): Setting<readonly string[]> {
  let providers = defaults;
  for (const level of levels) {
    const naming = level.filter(({ entry }) => entry.providers.length > 0);
    const [first] = naming;
    if (first === undefined) continue;
    const names = new Map(naming.flatMap(({ entry }) => entry.providers.map((name) => [name.toLowerCase(), name])));
    providers = override(providers, [...names.values()], below(first.place, "providers"));
  }
  return providers;
}

function switchTo(drafts: Map<string, Draft>, name: string, on: boolean, place: Place): void {
  const draft = drafts.get(name.toLowerCase());
  drafts.set(name.toLowerCase(), { ...draft, name, enabled: override(draft?.enabled, on, place) });
}

function filterBy(drafts: Map<string, Draft>, name: string, filter: string | undefined, place: Place): void {
  const draft = drafts.get(name.toLowerCase()) ?? { name };
  if (filter === undefined && draft.filter === undefined) return;
  drafts.set(name.toLowerCase(), { ...draft, filter: override(draft.filter, filter ?? "", place) });
}
