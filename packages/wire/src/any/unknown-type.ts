import { typeNameOfUrl, typeRegistry } from "../type-registry.ts";

const longestUrl = 200;

/** What to say about a type URL (or whatever stands in its place) that leads to no known type. */
export function unknownTypeMessage(typeUrl: unknown): string {
  if (typeof typeUrl !== "string" || typeUrl === "") {
    return `an Any needs "@type", such as "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"`;
  }
  const shown = typeUrl.length > longestUrl ? `${typeUrl.slice(0, longestUrl)}…` : typeUrl;
  const nearest = typeRegistry.nearest(typeNameOfUrl(typeUrl));
  return `the type ${shown} is unknown${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}
