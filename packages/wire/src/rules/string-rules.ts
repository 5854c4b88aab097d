import { KnownRegex } from "#generated/validate/validate_pb.js";
import { always, type Check, compileRules, must, type RuleSet, unlessEmpty } from "./check.ts";
import { isEmail, isHostname, isIpv4, isIpv6, isUri, isUriReference, isUuid } from "./text-formats.ts";

/** Checks of StringRules. Lengths count characters (code points), the `…Bytes` rules count UTF-8. */
export function stringChecks(rules: RuleSet): Check[] {
  const strict = rules.get("strict") !== false;
  const checks = compileRules(rules, {
    ...lengthRules,
    ...contentRules,
    ...formatRules,
    wellKnownRegex: (known: KnownRegex) => headerCheck(known, strict),
    strict: always,
    ignoreEmpty: always,
  });
  return unlessEmpty(rules, (value) => value === "", checks);
}

const lengthRules = {
  len: (n: bigint) => must((text: string) => codePoints(text) === Number(n), `must have ${n} characters`),
  minLen: (n: bigint) =>
    must(
      (text: string) => codePoints(text) >= Number(n),
      n === 1n ? "must not be empty" : `must have at least ${n} characters`,
    ),
  maxLen: (n: bigint) => must((text: string) => codePoints(text) <= Number(n), `must have at most ${n} characters`),
  lenBytes: (n: bigint) => must((text: string) => Buffer.byteLength(text) === Number(n), `must have ${n} bytes`),
  minBytes: (n: bigint) =>
    must(
      (text: string) => Buffer.byteLength(text) >= Number(n),
      n === 1n ? "must not be empty" : `must have at least ${n} bytes`,
    ),
  maxBytes: (n: bigint) => must((text: string) => Buffer.byteLength(text) <= Number(n), `must have at most ${n} bytes`),
};

const contentRules = {
  const: (operand: string) => must((text: string) => text === operand, `must be ${JSON.stringify(operand)}`),
  // The patterns come from the definitions, not from users; all of them run in linear time.
  pattern: (operand: string) => {
    const pattern = new RegExp(operand, "u");
    return must((text: string) => pattern.test(text), `must match ${operand}`);
  },
  prefix: (operand: string) =>
    must((text: string) => text.startsWith(operand), `must begin with ${JSON.stringify(operand)}`),
  suffix: (operand: string) =>
    must((text: string) => text.endsWith(operand), `must end with ${JSON.stringify(operand)}`),
  contains: (operand: string) =>
    must((text: string) => text.includes(operand), `must contain ${JSON.stringify(operand)}`),
  notContains: (operand: string) =>
    must((text: string) => !text.includes(operand), `must not contain ${JSON.stringify(operand)}`),
  in: (operand: readonly string[]) =>
    must((text: string) => operand.includes(text), `must be one of ${quoted(operand)}`),
  notIn: (operand: readonly string[]) =>
    must((text: string) => !operand.includes(text), `must not be one of ${quoted(operand)}`),
};

const formatRules = {
  email: () => must(isEmail, "must be an email address"),
  hostname: () => must(isHostname, "must be a host name"),
  ip: () => must((text: string) => isIpv4(text) || isIpv6(text), "must be an IP address"),
  ipv4: () => must(isIpv4, "must be an IPv4 address"),
  ipv6: () => must(isIpv6, "must be an IPv6 address"),
  address: () =>
    must((text: string) => isHostname(text) || isIpv4(text) || isIpv6(text), "must be a host name or an IP address"),
  uri: () => must(isUri, "must be an absolute URI"),
  uriRef: () => must(isUriReference, "must be a URI or a relative reference"),
  uuid: () => must(isUuid, "must be a UUID"),
};

const strictHeaderName = /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/;
const looseHeaderBreaker = /[\0\n\r]/;

function headerCheck(known: KnownRegex, strict: boolean): Check {
  if (!strict) return must((text: string) => !looseHeaderBreaker.test(text), "must not hold NUL, CR or LF");
  if (known === KnownRegex.HTTP_HEADER_NAME) {
    return must((text: string) => strictHeaderName.test(text), "must be an HTTP header name");
  }
  return must((text: string) => !hasControlCharacter(text), "must be an HTTP header value");
}

// Horizontal tab is the one that a header value may hold.
function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; count++) index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return count;
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join(", ");
}
