/** One step of a source map: from this byte of the module on, code stems from that place. */
export interface Mapping {
  /** Byte of the module. */
  readonly position: number;
  /** Index of the source; −1: the code from here on stems from none. */
  readonly source: number;
  /** From 0. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/**
 * The `mappings` of a source map of version 3 for a module, which is one "line" whose columns are bytes. In ascending
 * order of position; null for what is none.
 */
export function decodeMappings(text: string): Mapping[] | null {
  const mappings: Mapping[] = [];
  const at = { position: 0, source: 0, line: 0, column: 0 };
  for (const segment of text.split(",")) {
    if (segment.length === 0) continue;
    const numbers = decodeNumbers(segment);
    if (numbers === null || (numbers.length !== 1 && numbers.length < 4)) return null;
    const [position = 0, source = 0, line = 0, column = 0] = numbers;
    if (position < 0) return null;
    at.position += position;
    at.source += source;
    at.line += line;
    at.column += column;
    mappings.push(numbers.length === 1 ? { ...at, source: -1 } : { ...at });
  }
  return mappings;
}

/** What {@link decodeMappings} reads. */
export function encodeMappings(mappings: readonly Mapping[]): string {
  const last = { position: 0, source: 0, line: 0, column: 0 };
  const segments = mappings.map(({ position, source, line, column }) => {
    let text = encodeNumber(position - last.position);
    last.position = position;
    if (source < 0) return text;
    text += encodeNumber(source - last.source) + encodeNumber(line - last.line) + encodeNumber(column - last.column);
    Object.assign(last, { source, line, column });
    return text;
  });
  return segments.join(",");
}

function decodeNumbers(segment: string): number[] | null {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = VALUES.get(digit);
    if (bits === undefined || shift > 30) return null;
    value += (bits & 31) * 2 ** shift;
    if ((bits & 32) !== 0) {
      shift += 5;
      continue;
    }
    const magnitude = Math.floor(value / 2);
    numbers.push(value % 2 === 1 ? -magnitude : magnitude);
    value = 0;
    shift = 0;
  }
  return shift === 0 ? numbers : null;
}

function encodeNumber(number: number): string {
  let rest = Math.abs(number) * 2 + (number < 0 ? 1 : 0);
  let text = "";
  do {
    const bits = rest % 32;
    rest = Math.floor(rest / 32);
    text += DIGITS[rest > 0 ? bits | 32 : bits] ?? "";
  } while (rest > 0);
  return text;
}
