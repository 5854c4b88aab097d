import { compileHeaderTest, type MatcherFault } from "@mixerless/matchers";
import type { HeaderMatcher } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { Test } from "./test.ts";

/** What compiling needs beside the message. */
export interface CompileContext<Key> {
  /** Turns a lower-case header name (`:authority`, `:method`, `x-user`) into what {@link PolicyFacts.header} takes. */
  readonly headerKey: (name: string) => Key;
  readonly faults: MatcherFault[];
}

/**
 * Lines of one name are looked at one by one, as Envoy does: who adds a line to a header must not hide the other from
 * a DENY rule. None may match where the match is inverted.
 */
export function compileHeader<Key>(matcher: HeaderMatcher, path: string, context: CompileContext<Key>): Test<Key> {
  const test = compileHeaderTest(matcher, path, context.faults);
  const name = matcher.name.toLowerCase();
  const key = context.headerKey(name === "host" ? ":authority" : name);
  const { invertMatch } = matcher;
  return (facts) => {
    const values = facts.headers(key);
    if (values.length === 0) return test(null);
    return invertMatch ? values.every(test) : values.some(test);
  };
}
