import type { Cursor } from "../schema/cursor.ts";
import { lists, object, optional, withDefault } from "../schema/object.ts";
import { checked, convert, type MapOptions, map, type Reader, string } from "../schema/reader.ts";
import { checkHeaderName, checkHeaderValue } from "../schema/text-rules.ts";
import type { StringMap } from "./common.ts";
import type { HeaderOperations, Headers } from "./virtual-service.ts";

const NO_HEADERS: StringMap = Object.freeze(Object.create(null) as Record<string, string>);

function isAuthority(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === "host" || lower === ":authority";
}

function checkName(name: string, authority: boolean, at: Cursor): void {
  if (isAuthority(name)) {
    if (!authority)
      at.error("reserved-header", `${name} can't be changed here.`, "Use rewrite.authority on the route.");
  } else if (name.startsWith(":")) {
    at.error("reserved-header", `${name} is a pseudo header.`, "Only :authority of a request can be set.");
  } else {
    checkHeaderName(name, at);
  }
}

function values(authority: boolean): Reader<StringMap> {
  const options: MapOptions = { key: (name, at) => checkName(name, authority, at) };
  return map(checked(string, checkHeaderValue), options);
}

function operations(authority: boolean): Reader<HeaderOperations> {
  return object({
    set: withDefault(values(authority), NO_HEADERS),
    add: withDefault(values(authority), NO_HEADERS),
    remove: lists(checked(string, (name, at) => checkName(name, false, at))),
  });
}

/** Requests may set their authority; nothing else may touch it or a pseudo header (§8.4). */
export const headers: Reader<Headers> = convert(
  object({ request: optional(operations(true)), response: optional(operations(false)) }),
  (read) => read,
);

/** How many of set and add write the authority of the request. */
export function authorityWrites(written: Headers | undefined): number {
  const request = written?.request;
  if (request === undefined) return 0;
  return [...Object.keys(request.set), ...Object.keys(request.add)].filter(isAuthority).length;
}
