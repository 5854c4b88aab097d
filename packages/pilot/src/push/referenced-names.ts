import { toJson } from "@mixerless/wire";
import { TypeUrl } from "@mixerless/xds";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { generate, SCHEMA_OF_TYPE, type WantedNames } from "./generate-resources.ts";

/**
 * The names that a proxy would ask for: endpoints as its clusters name them, routes and extensions as its listeners do;
 * everything of the other types.
 */
export function referencedNames(input: GeneratorInput, typeUrl: string): WantedNames {
  if (typeUrl === TypeUrl.endpoint) return named(input, TypeUrl.cluster, /"service_name":"([^"]+)"/g);
  if (typeUrl === TypeUrl.route) return named(input, TypeUrl.listener, /"route_config_name":"([^"]+)"/g);
  if (typeUrl === TypeUrl.extensionConfig)
    return named(input, TypeUrl.listener, /"name":"([^"]+)","config_discovery"/g);
  return "wildcard";
}

function named(input: GeneratorInput, typeUrl: string, pattern: RegExp): Set<string> {
  const names = new Set<string>();
  const schema = SCHEMA_OF_TYPE[typeUrl];
  if (schema === undefined) return names;
  for (const { message } of generate(input, typeUrl, "wildcard") ?? []) {
    const text = JSON.stringify(toJson(schema, message as never, { declaredNames: true }));
    for (const found of text.matchAll(pattern)) if (found[1] !== undefined) names.add(found[1]);
  }
  return names;
}
