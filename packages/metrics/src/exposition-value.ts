const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^-?\d{1,17}$/;
/** Digits that fit a double exactly. */
const SAFE_DIGITS = 15;

/** A value of a sample, as Prometheus reads it; null if it can't be read. */
export function parseValue(token: string): number | null {
  if (token.length <= SAFE_DIGITS) {
    const whole = parseDigits(token);
    if (whole >= 0) return whole;
  }
  if (FLOAT.test(token)) return Number(token);
  switch (token.toLowerCase()) {
    case "+inf":
    case "inf":
    case "+infinity":
    case "infinity":
      return Number.POSITIVE_INFINITY;
    case "-inf":
    case "-infinity":
      return Number.NEGATIVE_INFINITY;
    case "nan":
    case "+nan":
    case "-nan":
      return Number.NaN;
    default:
      return null;
  }
}

/** A time stamp in milliseconds: whole milliseconds in the text format, seconds in OpenMetrics. */
export function parseTimestamp(token: string, openMetrics: boolean): number | null {
  if (!openMetrics) return INTEGER.test(token) ? Number(token) : null;
  return FLOAT.test(token) ? Number(token) * 1000 : null;
}

function parseDigits(token: string): number {
  let value = 0;
  for (let i = 0; i < token.length; i++) {
    const digit = token.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return token.length === 0 ? -1 : value;
}
