import { LABEL_NAME_LIMIT, LABEL_VALUE_LIMIT, LABELS_LIMIT } from "./limits.ts";
import { sanitizeLabelName } from "./names.ts";

/** One label of a {@link LabelShape}. */
export interface LabelColumn {
  /** Place of the value in the values handed in. */
  readonly index: number;
  /** Place of the label in a series' text. */
  readonly place: number;
  readonly name: string;
  /** What stands before the value in a key. */
  readonly marker: string;
  /** The bytes that stand before the value in a series' text: `name="`, behind a comma if need be. */
  readonly head: Uint8Array;
}

/** Room in which keys and texts are put together; used for the length of one call. */
export interface LabelScratch {
  /** A key that is being made. */
  readonly bytes: Buffer;
  /** A key that is being read. */
  readonly keyBytes: Buffer;
  /** Where the value of each column begins and ends in a key. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** The text that was rendered last, its shape, and where the head of each column stands in it. */
  readonly textBytes: Buffer;
  rendered: LabelShape | null;
  readonly heads: Int32Array;
}

/** One list of label names, prepared once for all series that use it. */
export interface LabelShape {
  /** The names as they were handed in. */
  readonly names: readonly string[];
  /** In the order in which they are printed. */
  readonly columns: readonly LabelColumn[];
  /** By name, as keys are built. */
  readonly sorted: readonly LabelColumn[];
  readonly scratch: LabelScratch;
}

/** Names that number themselves; further ones are spelled out in keys. */
const NUMBERED_NAMES = 4096;
const SHAPES = 1024;
const SHAPE_KEY_LIMIT = 16_384;
/** Bytes of one label in a key, and in a text, where every byte of a value may be escaped. */
const KEY_COLUMN_LIMIT = LABEL_VALUE_LIMIT + LABEL_NAME_LIMIT + 16;
const TEXT_COLUMN_LIMIT = 2 * LABEL_VALUE_LIMIT + LABEL_NAME_LIMIT + 16;

// A clean value has no control character but the line feed (0x0a), so these can't appear in one:
// a marker is three base-16 digits 0x10…0x1f, or a name between 0x0e and 0x0f.
const DIGIT = 0x10;
const NAME_START = "\x0e";
const NAME_END = "\x0f";

/** The first char code that belongs to a marker, and the last. */
export const MARKER_FIRST = 0x0e;
export const MARKER_LAST = 0x1f;

/**
 * The label-name lists of one store. A hostile plugin can make up names without end, so both tables
 * are bounded: names beyond the limit make longer keys, shapes beyond it are forgotten and made again.
 */
export class LabelShapes {
  readonly #numbers = new Map<string, number>();
  readonly #shapes = new Map<string, LabelShape>();
  readonly #histogramShapes = new Map<string, LabelShape>();
  readonly #scratch: LabelScratch = {
    bytes: Buffer.alloc(LABELS_LIMIT * KEY_COLUMN_LIMIT),
    keyBytes: Buffer.alloc(LABELS_LIMIT * KEY_COLUMN_LIMIT),
    starts: new Int32Array(LABELS_LIMIT),
    ends: new Int32Array(LABELS_LIMIT),
    textBytes: Buffer.alloc(LABELS_LIMIT * TEXT_COLUMN_LIMIT),
    rendered: null,
    heads: new Int32Array(LABELS_LIMIT),
  };

  /** `histogram` shapes keep the label `le` free. */
  find(names: readonly string[], histogram: boolean): LabelShape {
    const shape = this.#cached(this.#shapes, names, false);
    // One shape for a counter and its histograms lets them share their label sets.
    const bounded = histogram && shape.columns.some((column) => column.name === "le");
    return bounded ? this.#cached(this.#histogramShapes, names, true) : shape;
  }

  #cached(shapes: Map<string, LabelShape>, names: readonly string[], histogram: boolean): LabelShape {
    const key = JSON.stringify(names);
    const known = shapes.get(key);
    if (known !== undefined) return known;
    const shape = this.#build(names, histogram);
    if (shapes.size >= SHAPES) shapes.clear();
    if (key.length <= SHAPE_KEY_LIMIT) shapes.set(key, shape);
    return shape;
  }

  #build(names: readonly string[], histogram: boolean): LabelShape {
    const indexes = new Map<string, number>();
    // A name that comes twice keeps its first place and its last value, as upstream's overrides do.
    for (const [index, raw] of names.entries()) {
      const name = reserved(sanitizeLabelName(raw), histogram);
      if (indexes.has(name) || indexes.size < LABELS_LIMIT) indexes.set(name, index);
    }
    const columns = [...indexes].map(([name, index], place) => {
      return {
        index,
        place,
        name,
        marker: this.#marker(name),
        head: Buffer.from(`${place === 0 ? "" : ","}${name}="`),
      };
    });
    const sorted = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return { names: [...names], columns, sorted, scratch: this.#scratch };
  }

  #marker(name: string): string {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      if (this.#numbers.size >= NUMBERED_NAMES) return NAME_START + name + NAME_END;
      number = this.#numbers.size;
      this.#numbers.set(name, number);
    }
    return String.fromCharCode(DIGIT + (number >> 8), DIGIT + ((number >> 4) & 15), DIGIT + (number & 15));
  }
}

/** Whether two lists are equal; cheap when they hold the same strings. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function reserved(name: string, histogram: boolean): string {
  return name === "__name__" || (histogram && name === "le") ? `exported_${name}` : name;
}
