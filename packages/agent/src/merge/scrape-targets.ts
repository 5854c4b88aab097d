/** An endpoint of the application that has series. */
export interface ScrapeTarget {
  readonly port: number;
  /** With its query string. */
  readonly path: string;
}

type Annotations = Readonly<Record<string, string>>;

/** Ports of the proxy and of the agent; a scrape of one of them would count its series twice, or never end. */
const RESERVED = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

/** What an injected pod carries in place of its own annotations [telemetry §7.2]. */
const VARIABLE = "ISTIO_PROMETHEUS_ANNOTATIONS";

/**
 * Which endpoints of the application to scrape: by `ISTIO_PROMETHEUS_ANNOTATIONS`, else by the annotations of the
 * workload. Throws what names the annotation and the cure.
 */
export function scrapeTargets(
  environment: Readonly<Record<string, string | undefined>>,
  annotations: Annotations,
  statusPort: number,
): readonly ScrapeTarget[] {
  const variable = environment[VARIABLE];
  const wish = variable ? fromVariable(variable) : fromAnnotations(annotations);
  if (wish === null) return [];
  for (const { port } of wish.targets) {
    if (port !== statusPort && !RESERVED.includes(port)) continue;
    throw new Error(
      `${wish.source}: port ${port} belongs to the proxy; give the port where the application has its series.`,
    );
  }
  return wish.targets;
}

interface Wish {
  /** What to name in an error. */
  readonly source: string;
  readonly targets: readonly ScrapeTarget[];
}

function fromVariable(text: string): Wish | null {
  const example = `for example {"scrape":"true","port":"8080","path":"/metrics"}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${VARIABLE} is not JSON (${(error as Error).message}); give an object, ${example}.`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new Error(`${VARIABLE} must be an object, ${example}.`);
  const { scrape, port, path, targets } = parsed as Record<string, unknown>;
  if (isFalse(scrape)) return null;
  if (!Array.isArray(targets) || targets.length === 0)
    return { source: VARIABLE, targets: [target(VARIABLE, textOf(port) || "80", textOf(path))] };
  const listed = targets.map((entry: unknown) => {
    const { port, path } = (entry ?? {}) as Record<string, unknown>;
    return target(VARIABLE, textOf(port), textOf(path));
  });
  return { source: VARIABLE, targets: listed };
}

function fromAnnotations(annotations: Annotations): Wish | null {
  const byName = new Map(Object.entries(annotations).map(([name, value]) => [plain(name), value]));
  const read = (name: string) => byName.get(plain(name)) ?? "";
  if (isFalse(read("prometheus.io/scrape"))) return null;
  const list = "prometheus.istio.io/scrape-targets";
  const entries = read(list)
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (entries.length > 0) {
    const targets = entries.map((entry) => {
      const colon = entry.indexOf(":");
      return colon < 0 ? target(list, entry, "") : target(list, entry.slice(0, colon), entry.slice(colon + 1));
    });
    return { source: list, targets };
  }
  const port = read("prometheus.io/port");
  if (port === "" && read("prometheus.io/scrape").toLowerCase() !== "true") return null;
  const source = "prometheus.io/port";
  return { source, targets: [target(source, port || "80", read("prometheus.io/path"))] };
}

/** Annotations are matched as the injector does: `prometheus.io.scrape` counts too. */
function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

function isFalse(value: unknown): boolean {
  return textOf(value).trim().toLowerCase() === "false";
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function target(source: string, portText: string, path: string): ScrapeTarget {
  const port = /^\s*\d{1,6}\s*$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535)
    throw new Error(`${source}: "${portText}" is not a port; give a number from 1 to 65535, for example 8080.`);
  const trimmed = path.trim() || "/metrics";
  return { port, path: trimmed.startsWith("/") ? trimmed : `/${trimmed}` };
}
