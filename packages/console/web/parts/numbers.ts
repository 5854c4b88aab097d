/** Numbers as people read them; `–` for none. */
export const NONE = "–";

export function rate(value: number): string {
  return trimmed(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function share(value: number | null): string {
  if (value === null) return NONE;
  // Nothing that is not whole may look so.
  const percent = value * 100;
  const digits = percent === 100 || percent === 0 ? 0 : percent > 99.9 ? 3 : 1;
  return `${trimmed(percent, digits)} %`;
}

export function milliseconds(value: number | null): string {
  if (value === null) return NONE;
  return value >= 1000 ? `${trimmed(value / 1000, 2)} s` : `${trimmed(value, value < 10 ? 1 : 0)} ms`;
}

export function bytesPerSecond(value: number): string {
  if (value === 0) return NONE;
  const units = ["B/s", "KB/s", "MB/s", "GB/s"];
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  return `${trimmed(value / 1000 ** power, 1)} ${units[power]}`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
