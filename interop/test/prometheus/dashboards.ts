import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Dashboard = "mesh-dashboard.gen" | "service-dashboard" | "workload-dashboard";

/** Values of Grafana's variables. An array is a multiple choice; the text stands as it is. */
export type Variables = Readonly<Record<string, string | readonly string[]>>;

/** Every distinct query of a dashboard, those of its template variables included. */
export function queriesOf(folder: string, dashboard: Dashboard): { panels: string[]; variables: string[] } {
  const text = readFileSync(join(folder, `istio-${dashboard}.json`), "utf8");
  const panels = new Set<string>();
  const variables = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "expr" && typeof inner === "string") panels.add(inner);
      const query = key === "query" && typeof inner === "string" ? /^query_result\((.*)\)$/s.exec(inner.trim()) : null;
      if (query?.[1] !== undefined) variables.add(query[1]);
      visit(inner);
    }
  };
  visit(JSON.parse(text));
  return { panels: [...panels], variables: [...variables] };
}

/** As Grafana fills a query in before it sends it. */
export function interpolate(query: string, variables: Variables): string {
  return query.replace(/\$(\w+)/g, (whole, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`no value for ${whole} in ${query}`);
    return typeof value === "string" ? value : `(${value.map(asPattern).join("|")})`;
  });
}

/** For a pattern inside a PromQL text, where a backslash is written twice. */
function asPattern(value: string): string {
  return value.replace(/[.*+?^${}()|[\]\\/-]/g, "\\\\$&");
}
