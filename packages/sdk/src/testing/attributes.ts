/** What an attribute of a fake stream or node can be. */
export type Attribute =
  | string
  | number
  | boolean
  | null
  | readonly Attribute[]
  | { readonly [name: string]: Attribute };

/** The attribute at `path`: objects by name, lists by decimal index. Undefined if there is none. */
export function attributeAt(root: Attribute, path: readonly string[]): Attribute | undefined {
  let value: Attribute | undefined = root;
  for (const segment of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = Object.hasOwn(value, segment) ? (value as Record<string, Attribute>)[segment] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** As `getString` of a host answers: text as it is, whole numbers and booleans printed, nothing else. */
export function attributeText(value: Attribute | undefined): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** As `getNumber` of a host answers. */
export function attributeNumber(value: Attribute | undefined, missing: number): number {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" ? value : missing;
}
