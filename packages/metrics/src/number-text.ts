/** A value as both exposition formats take it: the shortest text that reads back as the same double. */
export function formatValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** A bound in OpenMetrics' canonical form: as Go's %g prints it, with a decimal point or an exponent. */
export function formatCanonical(value: number): string {
  if (!Number.isFinite(value)) return formatValue(value);
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 6) return `${mantissa}e${paddedPower(power)}`;
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

/**
 * A number as Envoy prints bounds and sums: the exact binary double with up to 32 significant digits
 * [telemetry.md §7.3].
 */
export function formatEnvoy(value: number): string {
  if (!Number.isFinite(value)) return formatValue(value);
  const [, exponent = "0"] = value.toExponential(31).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 32) return trimZeros(value === 0 ? "0" : plainDigits(value, power));
  const [mantissa = "0"] = value.toExponential(31).split("e");
  return `${trimZeros(mantissa)}e${paddedPower(power)}`;
}

function plainDigits(value: number, power: number): string {
  // toFixed gives exact digits, but only below 1e21; toPrecision is exact and plain from 1e-6 on.
  return power < 0 ? value.toFixed(31 - power) : value.toPrecision(32);
}

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function paddedPower(power: number): string {
  const digits = String(Math.abs(power)).padStart(2, "0");
  return `${power < 0 ? "-" : "+"}${digits}`;
}
