import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isAllowedHost, isLoopback } from "./host-check.ts";

/** Who may ask for what [decision 11]. */
export interface AccessRules {
  /** What `Authorization: Bearer …` must hold to come from beyond loopback; without one nobody from there changes anything. */
  readonly token?: string | undefined;
  /** Also reading from beyond loopback needs the token. */
  readonly private?: boolean | undefined;
}

/** Why a request is not answered; null when it may be. */
export function refusal(request: IncomingMessage, mutates: boolean, rules: AccessRules): string | null {
  if (hasToken(request.headers.authorization, rules.token)) return null;
  const { localAddress = "", remoteAddress = "" } = request.socket;
  if (!isAllowedHost(request.headers.host, localAddress))
    return "This Host is not served here. Use the loopback address of the admin interface.";
  if (!isAllowedOrigin(request, localAddress)) return "Requests of other sites' pages are not served here.";
  if (isLoopback(remoteAddress)) return null;
  if (!mutates && rules.private !== true) return null;
  const verb = mutates ? "Changes" : "Requests";
  return rules.token === undefined
    ? `${verb} are taken from loopback only; set MIXERLESS_ADMIN_TOKEN to allow them with that token.`
    : `${verb} from beyond loopback need "Authorization: Bearer <token>".`;
}

/** A browser says whose page sends a request: always in a POST, and in whatever a script sends. */
function isAllowedOrigin({ headers }: IncomingMessage, localAddress: string): boolean {
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  if (origin === undefined) return site !== "cross-site" || headers["sec-fetch-mode"] === "navigate";
  const host = /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
  return host !== undefined && isAllowedHost(host, localAddress);
}

function hasToken(authorization: string | undefined, token: string | undefined): boolean {
  const given = /^Bearer (.+)$/.exec(authorization ?? "")?.[1];
  if (given === undefined || token === undefined || token === "") return false;
  // Digests have one length, which timingSafeEqual needs.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
