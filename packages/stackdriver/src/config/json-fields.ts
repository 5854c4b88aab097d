/** Reads fields of a JSON object by their protobuf names, in snake case or lower camel case, and notes what is wrong. */
export class JsonFields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly faults: string[];
  readonly #read = new Set<string>();

  /** `path` is what faults begin with; "" at the top. */
  constructor(object: Readonly<Record<string, unknown>>, path = "", faults: string[] = []) {
    this.#object = object;
    this.#path = path;
    this.faults = faults;
  }

  text(name: string): string {
    const value = this.#take(name);
    if (value === undefined || typeof value === "string") return value ?? "";
    this.#fault(name, `expected a text, got ${kindOf(value)}`);
    return "";
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (value === undefined || typeof value === "boolean") return value ?? false;
    this.#fault(name, `expected true or false, got ${kindOf(value)}`);
    return false;
  }

  /** Null where it is absent. Protobuf's JSON has whole numbers as numbers or as texts. */
  wholeNumber(name: string, least: number, most: number): number | null {
    const value = this.#take(name);
    if (value === undefined) return null;
    const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most) return number;
    this.#fault(name, `expected a whole number from ${least} to ${most}, got ${shown(value)}`);
    return null;
  }

  /** Milliseconds; null where it is absent. */
  duration(name: string): number | null {
    const value = this.#take(name);
    if (value === undefined) return null;
    const seconds = typeof value === "string" ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(value)?.[1] : undefined;
    if (seconds !== undefined) return Number(seconds) * 1000;
    this.#fault(name, `expected a duration in seconds such as "10s", got ${shown(value)}`);
    return null;
  }

  /** The name of an enumeration's value, which may be given as its number. */
  choice<Name extends string>(name: string, names: readonly [Name, ...Name[]]): Name {
    const value = this.#take(name);
    if (value === undefined) return names[0];
    const found = typeof value === "number" ? names[value] : names.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    this.#fault(name, `${shown(value)} is none of ${names.join(", ")}`);
    return names[0];
  }

  /** The entries of an object of objects. */
  objects(name: string): [key: string, fields: JsonFields][] {
    return this.#entries(name).flatMap(([key, value]): [string, JsonFields][] => {
      if (isObject(value)) return [[key, new JsonFields(value, `${this.#at(name)}["${key}"].`, this.faults)]];
      this.#fault(`${name}["${key}"]`, `expected an object, got ${kindOf(value)}`);
      return [];
    });
  }

  /** The entries of an object of texts. */
  texts(name: string): [key: string, text: string][] {
    return this.#entries(name).flatMap(([key, value]): [string, string][] => {
      if (typeof value === "string") return [[key, value]];
      this.#fault(`${name}["${key}"]`, `expected a text, got ${kindOf(value)}`);
      return [];
    });
  }

  /** The object below a name; null where there is none. */
  object(name: string): JsonFields | null {
    const value = this.#take(name);
    if (value === undefined) return null;
    if (isObject(value)) return new JsonFields(value, `${this.#at(name)}.`, this.faults);
    this.#fault(name, `expected an object, got ${kindOf(value)}`);
    return null;
  }

  /** Names that nobody asked for, without those of `ignored`. */
  unread(ignored: readonly string[]): string[] {
    for (const name of ignored) this.#take(name);
    return Object.keys(this.#object).filter((name) => !this.#read.has(name));
  }

  #entries(name: string): [string, unknown][] {
    const value = this.#take(name);
    if (value === undefined) return [];
    if (isObject(value)) return Object.entries(value);
    this.#fault(name, `expected an object, got ${kindOf(value)}`);
    return [];
  }

  /** Undefined for what is absent or null, which protobuf's JSON reads alike. */
  #take(name: string): unknown {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    for (const key of [name, camel]) {
      this.#read.add(key);
      if (Object.hasOwn(this.#object, key)) return this.#object[key] ?? undefined;
    }
    return undefined;
  }

  #fault(name: string, message: string): void {
    this.faults.push(`${this.#at(name)}: ${message}`);
  }

  #at(name: string): string {
    return `${this.#path}${name}`;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a${typeof value === "object" ? "n" : ""} ${typeof value}`;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 60);
}
