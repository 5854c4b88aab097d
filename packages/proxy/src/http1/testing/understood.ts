import type { HeaderMap } from "../../http/header-map.ts";

/** A message as an HTTP parser understood it. */
export interface Understood {
  readonly method: string;
  readonly target: string;
  /** Names in lower case, in order of arrival. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

/** The fields that are no pseudo-headers; `host` in their place. */
export function regularFields(headers: HeaderMap): [string, string][] {
  const fields: [string, string][] = [];
  headers.forEach((name, value) => {
    if (name === ":authority") fields.push(["host", value]);
    else if (!name.startsWith(":")) fields.push([name, value]);
  });
  return fields;
}

const KEPT = new Set(["te", "host", "content-length", "transfer-encoding"]);

/** What `connection` says is for one hop only, Node shows and ours does not. */
export function withoutHopFields({ fields, ...rest }: Understood): Understood {
  const options = fields.filter(([name]) => name === "connection").flatMap(([, value]) => value.split(","));
  const nominated = new Set(options.map((option) => option.trim().toLowerCase()).filter((name) => !KEPT.has(name)));
  return { ...rest, fields: fields.filter(([name]) => !nominated.has(name)) };
}

/** Node shows the `host` of a request where it stood; ours is the first. */
export function hostFirst({ fields, ...rest }: Understood): Understood {
  const isHost = ([name]: readonly [string, string]) => name === "host";
  return { ...rest, fields: [...fields.filter(isHost), ...fields.filter((field) => !isHost(field))] };
}
