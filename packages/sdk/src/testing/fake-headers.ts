/** Headers in order; a name may be repeated. */
export type FakeHeaders = Array<[name: string, value: string]>;

/** The first value of a header; null if it is absent. */
export function firstOf(headers: FakeHeaders, name: string): string | null {
  return headers.find((header) => header[0] === name)?.[1] ?? null;
}

/** Takes all headers of a name out. */
export function removeFrom(headers: FakeHeaders, name: string): void {
  for (let i = headers.length - 1; i >= 0; i--) if (headers[i]?.[0] === name) headers.splice(i, 1);
}

/** Of names and values in turn. */
export function pairsOf(list: readonly string[]): FakeHeaders {
  const headers: FakeHeaders = [];
  for (let i = 0; i + 1 < list.length; i += 2) headers.push([(list[i] ?? "").toLowerCase(), list[i + 1] ?? ""]);
  return headers;
}
