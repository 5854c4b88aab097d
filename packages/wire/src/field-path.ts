/** A step as the source writes it: a key of an object or an index of a list. */
export type PathKey = string | number;

const longestRenderedKey = 80;

/** The way from a message to a field inside it. Steps link to their parent, so that a step costs one small object. */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #segment: string;
  readonly #key: PathKey;

  private constructor(parent: FieldPath | undefined, segment: string, key: PathKey) {
    this.#parent = parent;
    this.#segment = segment;
    this.#key = key;
  }

  /** The message that was given to decode. */
  static readonly root: FieldPath = new FieldPath(undefined, "", "");

  /** `key` is the source's spelling when it differs from the JSON name. */
  field(jsonName: string, key: string = jsonName): FieldPath {
    return new FieldPath(this, shortened(jsonName), key);
  }

  index(index: number): FieldPath {
    return new FieldPath(this, `[${index}]`, index);
  }

  /** An entry of a map field. */
  entry(key: string): FieldPath {
    return new FieldPath(this, `[${JSON.stringify(shortened(key))}]`, key);
  }

  keys(): PathKey[] {
    return this.#steps().map((step) => step.#key);
  }

  toString(): string {
    let text = "";
    for (const step of this.#steps()) {
      const segment = step.#segment;
      text += segment.startsWith("[") || text === "" ? segment : `.${segment}`;
    }
    return text;
  }

  #steps(): FieldPath[] {
    const steps: FieldPath[] = [];
    for (let step: FieldPath = this; step.#parent !== undefined; step = step.#parent) steps.push(step);
    return steps.reverse();
  }
}

// Keys come from outside and end up in logs and status messages.
function shortened(key: string): string {
  return key.length > longestRenderedKey ? `${key.slice(0, longestRenderedKey)}…` : key;
}
