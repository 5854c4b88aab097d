/** One entry of `overrides`, as Telemetry has it. */
export interface Override {
  readonly match?: { readonly metric?: string; readonly mode?: string };
  readonly disabled?: boolean;
  readonly tagOverrides?: Readonly<Record<string, { readonly operation?: string; readonly value?: string }>>;
}

export type Labels = Readonly<Record<string, string>>;

/** Expressions whose value is plain from the labels that a request has without any override. */
export const VALUES: Readonly<Record<string, (workload: string, labels: Labels) => string>> = {
  "'fixed'": () => "fixed",
  "request.method": () => "GET",
  "response.code + 1": () => "201",
  "string(response.code / 100) + 'xx'": () => "2xx",
  "xds.node.metadata['WORKLOAD_NAME']": (workload) => workload,
  "filter_state.downstream_peer.workload": (_, { reporter, source_workload = "" }) =>
    reporter === "destination" ? source_workload : "unknown",
  "has(request.headers.nothing) ? 'yes' : 'no'": () => "no",
  // There is none in plain HTTP: the evaluation fails, and costs this label only.
  "response.grpc_status": () => "unknown",
};

/**
 * The labels that a request has under `overrides`, the nearest last; null where it is not counted. Written from the
 * words of Telemetry's reference, one override after the other, without a look at how the control plane merges.
 */
export function expectedLabels(
  overrides: readonly Override[],
  metric: string,
  workload: string,
  base: Labels,
): Labels | null {
  const side = base.reporter === "source" ? "CLIENT" : "SERVER";
  let off = false;
  let dropped = false;
  const tags: Record<string, { readonly operation?: string; readonly value?: string }> = {};
  for (const { match = {}, disabled, tagOverrides = {} } of overrides) {
    if (match.mode !== undefined && match.mode !== "CLIENT_AND_SERVER" && match.mode !== side) continue;
    const all = match.metric === undefined || match.metric === "ALL_METRICS";
    if (all && disabled === true) {
      off = true;
      continue;
    }
    off = false;
    if (!all && match.metric !== metric) continue;
    if (disabled !== undefined) dropped = disabled;
    Object.assign(tags, tagOverrides);
  }
  if (off || dropped) return null;
  const labels: Record<string, string> = { ...base };
  for (const [tag, { operation, value = "" }] of Object.entries(tags)) {
    if (operation === "REMOVE") delete labels[tag];
    else labels[tag] = VALUES[value]?.(workload, base) ?? "";
  }
  return labels;
}
