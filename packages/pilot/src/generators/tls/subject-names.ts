import { isIP } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  SubjectAltNameMatcher_SanType,
  type SubjectAltNameMatcherSchema,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/common";

const { DNS, IP_ADDRESS, URI } = SubjectAltNameMatcher_SanType;

/** One name that a peer's certificate may have, by what it looks like: a URI, an address, or a host. */
export function exactName(value: string): MessageInitShape<typeof SubjectAltNameMatcherSchema> {
  const sanType = value.includes("://") ? URI : isIP(value) === 0 ? DNS : IP_ADDRESS;
  return { sanType, matcher: { matchPattern: { case: "exact", value } } };
}

/** Every identity of a trust domain. */
export function identityPrefix(trustDomain: string): MessageInitShape<typeof SubjectAltNameMatcherSchema> {
  return { sanType: URI, matcher: { matchPattern: { case: "prefix", value: `spiffe://${trustDomain}/` } } };
}
