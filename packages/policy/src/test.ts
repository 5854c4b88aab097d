import type { PolicyFacts } from "./facts.ts";

/** One question about a request. */
export type Test<Key> = (facts: PolicyFacts<Key>) => boolean;

/** True where every test is; so without tests too. */
export function all<Key>(tests: readonly Test<Key>[]): Test<Key> {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (facts) => {
    for (const test of tests) if (!test(facts)) return false;
    return true;
  };
}

/** True where one test is; so not without tests. */
export function some<Key>(tests: readonly Test<Key>[]): Test<Key> {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (facts) => {
    for (const test of tests) if (test(facts)) return true;
    return false;
  };
}

export function not<Key>(test: Test<Key>): Test<Key> {
  return (facts) => !test(facts);
}
