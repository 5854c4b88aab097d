/** Something in a configuration that can't be used. */
export interface ShapeFault {
  /** The field's path, in the proto's spelling. */
  readonly path: string;
  readonly message: string;
}

/**
 * Reads fields of proto3 JSON by their proto names; the lowerCamelCase spelling will do as well. A field that isn't there
 * has its default; one of another kind adds a fault.
 */
export class JsonReader {
  readonly faults: ShapeFault[];
  readonly present: boolean;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(json: unknown, path: string, faults: ShapeFault[] = []) {
    this.faults = faults;
    this.#path = path;
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    this.present = isObject;
    this.#fields = isObject ? (json as Record<string, unknown>) : {};
    if (!isObject && json !== undefined && json !== null) faults.push({ path, message: "must be an object" });
  }

  get keys(): readonly string[] {
    return Object.keys(this.#fields);
  }

  has(field: string): boolean {
    return this.raw(field) !== undefined;
  }

  /** The value as it is; null counts as absent. */
  raw(field: string): unknown {
    const camel = field.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    for (const name of [field, camel]) {
      if (Object.hasOwn(this.#fields, name)) return this.#fields[name] ?? undefined;
    }
    return undefined;
  }

  fault(field: string, message: string): void {
    this.faults.push({ path: this.#pathOf(field), message });
  }

  object(field: string): JsonReader {
    return new JsonReader(this.raw(field), this.#pathOf(field), this.faults);
  }

  text(field: string): string {
    const value = this.raw(field);
    if (value === undefined || typeof value === "string") return value ?? "";
    this.fault(field, "must be a text");
    return "";
  }

  texts(field: string): readonly string[] {
    const value = this.raw(field);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
    this.fault(field, "must be a list of texts");
    return [];
  }

  boolean(field: string): boolean {
    const value = this.raw(field);
    if (value === undefined || typeof value === "boolean") return value ?? false;
    this.fault(field, "must be true or false");
    return false;
  }

  /** One of the words; a number stands for the word at its place. */
  choice(field: string, words: readonly string[], otherwise: string): string {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    const word = typeof value === "number" ? words[value] : value;
    if (typeof word === "string" && words.includes(word)) return word;
    this.fault(field, `must be one of ${words.filter((known) => known.length > 0).join(", ")}`);
    return otherwise;
  }

  /** Milliseconds of a text such as `1.5s`. */
  duration(field: string, otherwise: number): number {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    const found = typeof value === "string" ? /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(value) : null;
    if (found !== null) return Number(found[1]) * 1000;
    this.fault(field, "must be a duration such as 1.5s");
    return otherwise;
  }

  #pathOf(field: string): string {
    return this.#path.length === 0 ? field : `${this.#path}.${field}`;
  }
}
