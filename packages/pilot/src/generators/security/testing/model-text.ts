// How the model reads text, paths, addresses and names.
import type { Call } from "./call.ts";

/** `*` for anything but nothing, a star at one end, or the very text. */
export function isText(text: string, pattern: string): boolean {
  if (pattern === "*") return text.length > 0;
  if (pattern[0] === "*") return text.endsWith(pattern.substring(1));
  if (pattern.at(-1) === "*") return text.startsWith(pattern.substring(0, pattern.length - 1));
  return text === pattern;
}

export function pathMatches(path: string, pattern: string): boolean {
  return /\{\*{1,2}\}/.test(pattern) ? segmentsMatch(path.split("/"), pattern.split("/")) : isText(path, pattern);
}

function segmentsMatch(path: readonly string[], pattern: readonly string[]): boolean {
  const [want, ...wants] = pattern;
  if (want === undefined) return path.length === 0;
  const [got, ...rest] = path;
  if (got === undefined) return false;
  if (want === "{**}") return segmentsMatch(rest, wants) || segmentsMatch(rest, pattern);
  return (want === "{*}" ? got !== "" : want === got) && segmentsMatch(rest, wants);
}

/** First and last address of a range as numbers, or null. */
export function readRange(text: string): { readonly width: number; first: bigint; last: bigint } | null {
  const parts = text.split("/");
  const address = readAddress(parts[0] ?? "");
  const length = parts[1] === undefined ? address?.width : Number(parts[1]);
  if (address === null || parts.length > 2 || !(Number(length) <= address.width)) return null;
  const free = BigInt(address.width - Number(length));
  const first = (address.value >> free) << free;
  return { width: address.width, first, last: first + (1n << free) - 1n };
}

export function inRange(text: string, range: string): boolean {
  const address = readAddress(text);
  const { width, first, last } = readRange(range) ?? { width: 0, first: 1n, last: 0n };
  return address !== null && address.width === width && address.value >= first && address.value <= last;
}

function readAddress(text: string): { readonly width: number; readonly value: bigint } | null {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte < 256) ? { width: 32, value: joined(bytes, 8n) } : null;
  }
  if (!/^[0-9a-f:]+$/.test(text)) return null;
  const halves = text.split("::").map((half) => half.split(":").filter((word) => word !== ""));
  const [head = [], tail = []] = halves;
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const words = halves.length === 1 ? head : [...head, ...zeros, ...tail];
  if (words.length !== 8) return null;
  return {
    width: 128,
    value: joined(
      words.map((word) => Number.parseInt(word, 16)),
      16n,
    ),
  };
}

function joined(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
}

/** The caller by the names that the mesh goes by: a whole name in one of its trust domains is one in all of them. */
export function principalMatches(
  peer: NonNullable<Call["peer"]>,
  pattern: string,
  domains: readonly string[],
): boolean {
  const name = `${peer.trustDomain}/ns/${peer.namespace}/sa/${peer.account}`;
  const whole = /^([^/]*)(\/ns\/[^/]*\/sa\/[^/]*)$/.exec(pattern);
  const [, domain = "", rest = ""] = whole ?? [];
  const covers = (own: string) => (domain[0] === "*" ? own.endsWith(domain.substring(1)) : own === domain);
  const ours = domain === "cluster.local" || domains.some(covers);
  if (whole === null || domain === "*" || !ours) return isText(name, pattern);
  // A star in front keeps the name as written for those that it covers; the others are named one by one.
  return domains.some((own) =>
    domain[0] === "*" && covers(own) ? isText(name, pattern) : isText(name, `${own}${rest}`),
  );
}

/** Issuer and subject of a token, which a policy names in one text with a slash between. */
export function tokenSpeaksFor(token: Readonly<Record<string, unknown>> | null, pattern: string): boolean {
  const { iss, sub } = token ?? {};
  if (typeof iss !== "string" || typeof sub !== "string") return false;
  const slash = pattern.lastIndexOf("/");
  const [issuer, subject] = [pattern.substring(0, slash), pattern.substring(slash + 1)];
  if (pattern === "*") return iss !== "" && sub !== "";
  if (pattern[0] === "*")
    return slash < 0 ? iss !== "" && isText(sub, pattern) : isText(iss, issuer) && sub === subject;
  if (pattern.at(-1) === "*")
    return slash < 0 ? isText(iss, pattern) && sub !== "" : iss === issuer && isText(sub, subject);
  return slash < 0 ? iss === pattern && sub === "" : iss === issuer && sub === subject;
}
