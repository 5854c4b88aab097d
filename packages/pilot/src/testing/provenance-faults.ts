import type { Provenance } from "../generators/generated.ts";
import type { GeneratedTraffic } from "./generate-traffic.ts";

interface RouteJson {
  readonly metadata?: { readonly filter_metadata?: { readonly istio?: { readonly config?: string } } };
}

interface RoutesJson {
  readonly virtual_hosts?: readonly { readonly name: string; readonly routes?: readonly RouteJson[] }[];
}

/** Virtual hosts that come of a policy and not of an object. */
const OF_POLICY = /^(allow_any|block_all|blackhole:\d+)$/;

/** Where a generated resource or route does not say truly which object, file and line it came from. */
export function provenanceFaults(traffic: GeneratedTraffic): string[] {
  const resources = Object.entries(traffic.provenance).flatMap(([type, byName]) =>
    Object.entries(byName).flatMap(([name, entries]) =>
      entries.flatMap((entry) => placeFaults(`${type} ${name}`, entry, traffic.files)),
    ),
  );
  return [...resources, ...Object.keys(traffic.json.routes ?? {}).flatMap((name) => routeFaults(name, traffic))];
}

function routeFaults(name: string, { json, routeOrigins, files }: GeneratedTraffic): string[] {
  const { virtual_hosts: hosts = [] } = (json.routes?.[name] ?? {}) as RoutesJson;
  return hosts
    .filter((host) => !OF_POLICY.test(host.name))
    .flatMap((host) =>
      (host.routes ?? []).flatMap((route, index) => {
        const what = `${host.name}/routes[${index}]`;
        const origin = routeOrigins[name]?.[what];
        if (origin === undefined) return [`${name} ${what} comes of no object`];
        const reference = route.metadata?.filter_metadata?.istio?.config;
        const named = reference === undefined || reference.endsWith(`/${origin.config.namespace}/${kindOf(origin)}`);
        return [
          ...placeFaults(`${name} ${what}`, origin, files),
          ...(named ? [] : [`${name} ${what} says ${reference} and comes of ${kindOf(origin)}`]),
        ];
      }),
    );
}

function kindOf({ config }: Provenance): string {
  return `${config.kind.replace(/(?<=[a-z])([A-Z])/g, "-$1").toLowerCase()}/${config.name}`;
}

/** The line must lie in the document that has this kind and name; in a line of its own, it must hold the field's text. */
function placeFaults(what: string, { config, path }: Provenance, files: Readonly<Record<string, string>>): string[] {
  const { file, line } = path === "" ? config.origin : config.originOf(path);
  const lines = files[file]?.split("\n");
  if (lines === undefined) return [`${what} names the file ${file}, which was not read`];
  if (line < 1 || line > lines.length) return [`${what} names line ${line} of ${file}, which has ${lines.length}`];
  const isBreak = (text: string | undefined) => text === undefined || text === "---";
  let first = line - 1;
  while (first > 0 && !isBreak(lines[first - 1])) first--;
  let last = line - 1;
  while (!isBreak(lines[last + 1])) last++;
  const document = lines.slice(first, last + 1).join("\n");
  const says = (key: string, value: string) => new RegExp(`"?${key}"?: ?"?${literally(value)}"?`).test(document);
  if (says("kind", config.kind) && says("name", config.name)) return [];
  return [`${what} names ${config.kind} ${config.name} at ${file}:${line}, where another object stands`];
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
