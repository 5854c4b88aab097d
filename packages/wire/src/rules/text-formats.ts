import { isIPv4, isIPv6 } from "node:net";

// The formats that validation rules can ask of a string.

const hostnameLabel = /^[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?$/i;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const scheme = /^[a-z][a-z0-9+.-]*:/i;
// Anything that RFC 3986 never allows unescaped.
const notInUris = /[\0-\x20\x7f"<>\\^`{|}]/;

/** Labels of letters, digits and inner hyphens, 253 characters; a final dot is allowed. */
export function isHostname(text: string): boolean {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  return name.length <= 253 && name.split(".").every((label) => hostnameLabel.test(label));
}

export function isIpv4(text: string): boolean {
  return isIPv4(text);
}

/** Without a zone (`%eth0`). */
export function isIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

export function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  return at > 0 && at <= 64 && !/[\s<>]/.test(text) && isHostname(text.slice(at + 1));
}

export function isUri(text: string): boolean {
  return scheme.test(text) && isUriReference(text);
}

export function isUriReference(text: string): boolean {
  return !notInUris.test(text) && !/%(?![0-9a-f]{2})/i.test(text);
}

export function isUuid(text: string): boolean {
  return uuid.test(text);
}
