import { isIP } from "node:net";
import type { TextTest } from "@mixerless/matchers";

/** Whether a host name of a certificate is for `host`: the same, or a wildcard for its first label [RFC 6125]. */
export function hostMatches(host: string): TextTest {
  const wanted = host.toLowerCase();
  const dot = wanted.indexOf(".");
  const rest = dot < 0 || isIP(wanted) !== 0 ? null : wanted.slice(dot);
  return (name) => {
    const own = name.toLowerCase();
    return own === wanted || (rest !== null && rest.indexOf(".", 1) > 0 && own === `*${rest}`);
  };
}
