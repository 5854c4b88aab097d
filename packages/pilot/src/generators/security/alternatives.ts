import { isIP } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PermissionSchema, PrincipalSchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";

export type Permission = MessageInitShape<typeof PermissionSchema>;
export type Principal = MessageInitShape<typeof PrincipalSchema>;

/** What values are read against: where the policy lives and the trust domains of the mesh. */
export interface RuleFacts {
  readonly namespace: string;
  readonly trustDomains: readonly string[];
}

/** A list of values as matchers of which one must hold, or what is wrong with it. */
export type Alternatives<T> = (values: readonly string[], facts: RuleFacts) => readonly T[] | Unusable;

/** A list that no data plane could do anything with. */
export interface Unusable {
  readonly problem: string;
}

/** One matcher for each value. */
export function each<T>(make: (value: string, facts: RuleFacts) => T): Alternatives<T> {
  return (values, facts) => values.map((value) => make(value, facts));
}

/** One matcher for each value that passes a check; `wanted` says in the singular what they must be. */
export function eachValid<T>(
  valid: (value: string) => boolean,
  wanted: string,
  make: (value: string) => T,
): Alternatives<T> {
  return (values) => {
    const wrong = values.find((value) => !valid(value));
    return wrong === undefined ? values.map(make) : { problem: `${JSON.stringify(wrong)} is no ${wanted}` };
  };
}

export function isPort(value: string): boolean {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535;
}

/** An address or a range of them. Zones of IPv6 mean something on one host only. */
export function isRange(value: string): boolean {
  const [address = "", bits, more] = value.split("/");
  const family = address.includes("%") ? 0 : isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export function cidr(value: string): { addressPrefix: string; prefixLen: number } {
  const [addressPrefix = "", bits] = value.split("/");
  return { addressPrefix, prefixLen: bits === undefined ? (isIP(addressPrefix) === 4 ? 32 : 128) : Number(bits) };
}
