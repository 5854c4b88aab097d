import type { AttributeReader, AttributeSource } from "./attributes/attribute.ts";
import { resolveAttribute } from "./attributes/resolve.ts";
import type { PropertyName } from "./extension.ts";

/** Readers of the properties that extensions name, found once per property. */
export class PropertyTable {
  readonly #readers: (AttributeReader | undefined)[] = [];

  string(property: PropertyName, source: AttributeSource): string | null {
    const value = this.#reader(property)(source);
    switch (typeof value) {
      case "string":
        return value;
      case "number":
      case "boolean":
        return String(value);
      default:
        return null;
    }
  }

  number(property: PropertyName, source: AttributeSource, missing: number): number {
    const value = this.#reader(property)(source);
    if (typeof value === "number") return value;
    return typeof value === "boolean" ? Number(value) : missing;
  }

  #reader(property: PropertyName): AttributeReader {
    const known = this.#readers[property.slot];
    if (known !== undefined) return known;
    const reader = resolveAttribute(property.path);
    this.#readers[property.slot] = reader;
    return reader;
  }
}
