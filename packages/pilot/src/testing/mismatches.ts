/**
 * Where `actual` is not as `expected` says. Objects need only have what is expected of them, `null` stands
 * for a field that must be absent; lists must have the same length, and each entry is compared alike.
 */
export function mismatches(expected: unknown, actual: unknown, path = ""): string[] {
  if (expected === null) {
    return actual === undefined || actual === null ? [] : [`${path}: is there, as ${shown(actual)}`];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [`${path}: ${shown(actual)} instead of a list`];
    if (actual.length !== expected.length)
      return [`${path}: ${actual.length} entries instead of ${expected.length}: ${shown(actual)}`];
    return expected.flatMap((entry, index) => mismatches(entry, actual[index], `${path}[${index}]`));
  }
  if (typeof expected === "object") {
    if (typeof actual !== "object" || actual === null || Array.isArray(actual))
      return [`${path}: ${shown(actual)} instead of an object`];
    const fields = actual as Readonly<Record<string, unknown>>;
    return Object.entries(expected as object).flatMap(([key, value]) =>
      mismatches(value, fields[key], path === "" ? key : `${path}.${key}`),
    );
  }
  return Object.is(expected, actual) ? [] : [`${path}: ${shown(actual)} instead of ${shown(expected)}`];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 1500 ? `${text.slice(0, 1500)}…` : text;
}
