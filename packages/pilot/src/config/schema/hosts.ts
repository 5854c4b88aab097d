// Host names and addresses (§8.1). The tests answer; the readers report.
import { isIP, isIPv4 } from "node:net";
import type { Cursor } from "./cursor.ts";
import { checked, describe, type Reader, string } from "./reader.ts";

const LABEL = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
/** The first label may be `*`, `*x` or `*-x`, but not `x*`. */
const WILDCARD_LABEL = /^\*([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/** What keeps `text` from being a fully qualified name, or undefined. A trailing dot is fine. */
export function fqdnProblem(text: string): string | undefined {
  return domainProblem(text, false);
}

/** As {@link fqdnProblem}, with a wildcard allowed as first label. */
export function wildcardDomainProblem(text: string): string | undefined {
  return domainProblem(text, true);
}

function domainProblem(text: string, wildcard: boolean): string | undefined {
  if (text === "") return "is empty.";
  if (text.length > 255) return "is longer than 255 characters.";
  const labels = (text.endsWith(".") ? text.slice(0, -1) : text).split(".");
  for (const [index, label] of labels.entries()) {
    if (wildcard && index === 0 && label.length <= 63 && WILDCARD_LABEL.test(label)) continue;
    if (!isDnsLabel(label)) return labelProblem(label);
  }
  if (/^\d+$/.test(labels.at(-1) ?? "")) return "ends in a label of digits only; an address is not a name.";
  return undefined;
}

function labelProblem(label: string): string {
  if (label.includes("*")) return "has a * where none is allowed; only the first label may begin with one.";
  if (label.length > 63) return "has a label of more than 63 characters.";
  return label === "" ? "has an empty label." : `has the label ${describe(label)}, which is no DNS label.`;
}

/** What keeps `text` from being an IP address or CIDR range, or undefined. */
export function subnetProblem(text: string): string | undefined {
  const [address = "", bits, rest] = text.split("/");
  if (isIP(address) === 0 || rest !== undefined) return "is neither an IP address nor a CIDR range.";
  if (bits === undefined) return undefined;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (isIPv4(address) ? 32 : 128))
    return "has a prefix length that does not fit.";
  return undefined;
}

/** What keeps `text` from being `unix:///path` or `unix://@abstract`, or undefined. */
export function unixAddressProblem(text: string): string | undefined {
  const path = text.slice("unix://".length);
  if (!path.startsWith("/") && !path.startsWith("@")) return "is a Unix socket without an absolute path or @name.";
  return path.endsWith("/") ? "names a directory instead of a Unix socket." : undefined;
}

export function isUnixAddress(text: string): boolean {
  return text.startsWith("unix://");
}

export { isIP };

/** Reports when `problem` has something to say. */
export function reportProblem(text: string, problem: string | undefined, code: string, cure: string, at: Cursor): void {
  if (problem !== undefined) at.error(code, `${describe(text)} ${problem}`, cure);
}

function nameReader(problemOf: (text: string) => string | undefined, code: string, cure: string): Reader<string> {
  return checked(string, (text, at) => reportProblem(text, problemOf(text), code, cure, at));
}

export const dnsLabel = nameReader(
  (text) => (isDnsLabel(text) ? undefined : "is no DNS label."),
  "bad-name",
  "Use letters, digits and inner hyphens, at most 63 characters.",
);

export const wildcardDomain = nameReader(
  wildcardDomainProblem,
  "bad-host",
  "Use a host name such as www.example.com, or *.example.com.",
);

export const subnet = nameReader(
  subnetProblem,
  "bad-address",
  "Use an address such as 10.0.0.1 or a range such as 10.0.0.0/8.",
);
