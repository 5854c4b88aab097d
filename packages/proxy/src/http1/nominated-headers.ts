import type { HeaderMap } from "../http/header-map.ts";
import { H, HeaderName } from "../http/header-name.ts";

/** More options than any client sends; each costs a walk over the headers. */
export const MAX_NOMINATIONS = 16;

const OPTIONS = new Set(["close", "keep-alive", "upgrade", "te"]);
/** A `connection` that names these would let a client take away what the hops before it have established. */
const PROTECTED = /^(host|content-length|transfer-encoding|authorization|x-request-id|x-forwarded-.*|x-envoy-.*)$/;

/**
 * Removes the headers that `connection` says are for this hop only (RFC 9110 §7.6.1). Done when a message
 * arrives and not when it leaves, so that nobody can have removed what a filter adds.
 */
export function removeNominatedHeaders(headers: HeaderMap): void {
  for (const option of (headers.get(H.connection) ?? "").split(",")) {
    const name = option.trim().toLowerCase();
    if (name !== "" && !OPTIONS.has(name) && !PROTECTED.test(name)) headers.remove(HeaderName.transient(name));
  }
}
