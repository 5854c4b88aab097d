import { compileHeaderTest, type MatcherFault } from "@mixerless/matchers";
import type { HeaderMatcher } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { Test } from "./test.ts";

/** What compiling needs beside the message. */
export interface CompileContext<Key> {
  /** Turns a lower-case header name (`:authority`, `:method`, `x-user`) into what {@link PolicyFacts.header} takes. */
  readonly headerKey: (name: string) => Key;
  readonly faults: MatcherFault[];
}

export function compileHeader<Key>(matcher: HeaderMatcher, path: string, context: CompileContext<Key>): Test<Key> {
  const test = compileHeaderTest(matcher, path, context.faults);
  const name = matcher.name.toLowerCase();
  const key = context.headerKey(name === "host" ? ":authority" : name);
  return (facts) => test(facts.header(key));
}
