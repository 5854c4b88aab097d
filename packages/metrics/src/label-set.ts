import { byteStringToText } from "./byte-string.ts";
import { type LabelShape, MARKER_FIRST, MARKER_LAST } from "./label-shape.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const LETTER_N = 0x6e;

/**
 * The labels of one or more series. Only a flat key is kept, not the strings that were handed in:
 * those may be slices that keep a whole network buffer alive.
 */
export class LabelSet {
  readonly shape: LabelShape;
  /** Equal for equal labels, whatever their order; a label without a value is no label to Prometheus. */
  readonly key: string;
  /** Series that use this object through the table of the store. */
  uses = 0;
  #text: string | null = null;

  constructor(shape: LabelShape, key: string) {
    this.shape = shape;
    this.key = key;
  }

  /** `a="1",b="2"`, escaped, as a byte string. Made when it is first asked for, then kept. */
  text(): string {
    this.#text ??= renderText(this.shape, this.key);
    return this.#text;
  }

  /** Names and values as text, in the order in which they are printed. */
  pairs(): [name: string, value: string][] {
    const { columns, scratch } = this.shape;
    locateValues(this.shape, this.key);
    return columns.map(({ name, place }) => {
      return [name, byteStringToText(this.key.slice(scratch.starts[place], scratch.ends[place]))];
    });
  }
}

/** Escapes a label value for the text and OpenMetrics formats. */
export function escapeLabelValue(value: string): string {
  if (!/["\\\n]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

// Byte by byte between byte arrays: joining strings takes several times as long, and reading their chars twice. Most
// of a text is its heads, and a head that comes to where it stood in the text before, of the same shape, stands there.
function renderText(shape: LabelShape, key: string): string {
  const { scratch } = shape;
  const { textBytes, keyBytes, starts, ends, heads } = scratch;
  locateValues(shape, key);
  const same = scratch.rendered === shape;
  scratch.rendered = shape;
  let at = 0;
  for (const { head, place } of shape.columns) {
    if (!same || heads[place] !== at) {
      heads[place] = at;
      for (let i = 0; i < head.length; i++) textBytes[at + i] = head[i] as number;
    }
    at += head.length;
    const end = ends[place] as number;
    for (let i = starts[place] as number; i < end; i++) {
      const code = keyBytes[i] as number;
      if (code === QUOTE || code === BACKSLASH || code === LINE_FEED) textBytes[at++] = BACKSLASH;
      textBytes[at++] = code === LINE_FEED ? LETTER_N : code;
    }
    textBytes[at++] = QUOTE;
  }
  return textBytes.toString("latin1", 0, at);
}

/** Puts the bytes of `key` into the scratch, and notes there where the value of each column stands. */
function locateValues(shape: LabelShape, key: string): void {
  const { keyBytes, starts, ends } = shape.scratch;
  const { length } = key;
  keyBytes.write(key, 0, "latin1");
  let at = 0;
  for (const { marker, place } of shape.sorted) {
    if (key.startsWith(marker, at)) at += marker.length;
    starts[place] = at;
    while (at < length && !isMarker(keyBytes[at] as number)) at++;
    ends[place] = at;
  }
}

function isMarker(code: number): boolean {
  return code >= MARKER_FIRST && code <= MARKER_LAST;
}
