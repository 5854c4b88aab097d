import type { Overload } from "../library/overload.ts";
import { standardLibrary } from "../library/standard.ts";
import { stringsLibrary } from "../library/strings.ts";
import { typeText } from "../types/type.ts";
import { OBJECTS, OPEN_OBJECTS } from "./objects.ts";
import { ATTRIBUTES, LEGACY_ATTRIBUTES } from "./vocabulary.ts";

/** What the reference of attributes and functions in the docs is made of. */
export interface VocabularyReference {
  readonly attributes: readonly { readonly name: string; readonly type: string }[];
  readonly legacy: readonly string[];
  readonly functions: readonly { readonly signature: string; readonly standard: boolean }[];
}

export function vocabularyReference(): VocabularyReference {
  return {
    attributes: Object.entries(ATTRIBUTES).flatMap(([name, type]) => attributesUnder(name, type)),
    legacy: Object.keys(LEGACY_ATTRIBUTES),
    functions: [
      ...signatures(standardLibrary()).map((signature) => ({ signature, standard: true })),
      ...signatures(stringsLibrary()).map((signature) => ({ signature, standard: false })),
    ],
  };
}

/** The fields of an object; of one that is open also itself, and the peer whose fields are known. */
function attributesUnder(name: string, type: string): { readonly name: string; readonly type: string }[] {
  const fields = Object.entries(OBJECTS[type] ?? {}).map(([field, text]) => ({ name: `${name}.${field}`, type: text }));
  if (fields.length > 0) return fields;
  const itself = { name, type: Object.hasOwn(OPEN_OBJECTS, type) ? "map(string, dyn)" : type };
  return name === "filter_state" ? [itself, ...attributesUnder(`${name}.upstream_peer`, "peer")] : [itself];
}

/** As they are called, without operators. */
function signatures(library: readonly Overload[]): string[] {
  return library
    .filter(({ name }) => /^[a-z]/i.test(name))
    .map(({ name, member, params, result }) => {
      const texts = params.map(typeText);
      const call = member ? `${texts[0]}.${name}(${texts.slice(1).join(", ")})` : `${name}(${texts.join(", ")})`;
      return `${call} -> ${typeText(result)}`;
    });
}
