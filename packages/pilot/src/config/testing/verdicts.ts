import type { ConfigObject, Kind } from "../config-object.ts";
import { KINDS } from "../kind-registry.ts";
import { readConfig } from "../read-config.ts";

/** A manifest around the text of a spec. */
export function manifest(kind: Kind, spec: string, name = "x", namespace = "default"): string {
  const { group, versions } = KINDS[kind];
  const apiVersion = [group, versions[0]].filter(Boolean).join("/");
  const body = spec.trim() === "" ? "{}" : `\n${indent(dedent(spec))}`;
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${body}\n`;
}

/** What the validation says about a spec: `error bad-host spec.hosts[0]`, in the order of the lines. */
export function verdicts(kind: Kind, spec: string): string[] {
  return readConfig({ file: "x.yaml", text: manifest(kind, spec) }).faults.map(
    ({ severity, code, path }) => `${severity} ${code} ${path}`,
  );
}

/** The errors only. */
export function errors(kind: Kind, spec: string): string[] {
  return verdicts(kind, spec).flatMap((verdict) => (verdict.startsWith("error ") ? [verdict.slice(6)] : []));
}

/** The codes and paths of the warnings only. */
export function warnings(kind: Kind, spec: string): string[] {
  return verdicts(kind, spec).flatMap((verdict) => (verdict.startsWith("warning ") ? [verdict.slice(8)] : []));
}

/** The normalised object of a valid spec. Throws, with the faults, when it is refused. */
export function read<K extends Kind>(kind: K, spec: string): ConfigObject<K> {
  const reading = readConfig({ file: "x.yaml", text: manifest(kind, spec) });
  const [object] = reading.objects;
  if (object === undefined) throw new Error(JSON.stringify(reading.faults));
  return object as ConfigObject<K>;
}

/** Removes the indentation of the first line from all lines. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd().split("\n");
  const margin = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
  return lines.map((line) => line.slice(margin)).join("\n");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
