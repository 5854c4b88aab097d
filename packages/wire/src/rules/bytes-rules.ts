import { always, type Check, compileRules, must, type RuleSet, unlessEmpty } from "./check.ts";

/** Checks of BytesRules. */
export function bytesChecks(rules: RuleSet): Check[] {
  const checks = compileRules(rules, {
    len: (n: bigint) => must((bytes: Uint8Array) => bytes.length === Number(n), `must have ${n} bytes`),
    minLen: (n: bigint) =>
      must(
        (bytes: Uint8Array) => bytes.length >= Number(n),
        n === 1n ? "must not be empty" : `must have at least ${n} bytes`,
      ),
    maxLen: (n: bigint) => must((bytes: Uint8Array) => bytes.length <= Number(n), `must have at most ${n} bytes`),
    const: (operand: Uint8Array) => must((bytes: Uint8Array) => same(bytes, operand), `must be ${hex(operand)}`),
    prefix: (operand: Uint8Array) =>
      must((bytes: Uint8Array) => same(bytes.subarray(0, operand.length), operand), `must begin with ${hex(operand)}`),
    suffix: (operand: Uint8Array) =>
      must(
        (bytes: Uint8Array) => same(bytes.subarray(Math.max(bytes.length - operand.length, 0)), operand),
        `must end with ${hex(operand)}`,
      ),
    contains: (operand: Uint8Array) =>
      must((bytes: Uint8Array) => asBuffer(bytes).includes(asBuffer(operand)), `must contain ${hex(operand)}`),
    in: (operand: readonly Uint8Array[]) =>
      must(
        (bytes: Uint8Array) => operand.some((item) => same(bytes, item)),
        `must be one of ${operand.map(hex).join(", ")}`,
      ),
    notIn: (operand: readonly Uint8Array[]) =>
      must(
        (bytes: Uint8Array) => !operand.some((item) => same(bytes, item)),
        `must not be one of ${operand.map(hex).join(", ")}`,
      ),
    ip: () =>
      must((bytes: Uint8Array) => bytes.length === 4 || bytes.length === 16, "must be an IP address of 4 or 16 bytes"),
    ipv4: () => must((bytes: Uint8Array) => bytes.length === 4, "must be an IPv4 address of 4 bytes"),
    ipv6: () => must((bytes: Uint8Array) => bytes.length === 16, "must be an IPv6 address of 16 bytes"),
    ignoreEmpty: always,
  });
  return unlessEmpty(rules, (value) => (value as Uint8Array).length === 0, checks);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function hex(bytes: Uint8Array): string {
  return `0x${asBuffer(bytes).toString("hex")}`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
