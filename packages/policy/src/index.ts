export type { CompileContext } from "./compile-context.ts";
export type { PeerFacts, PolicyFacts } from "./facts.ts";
export { compileRuleSet, type Decision, type RuleSet } from "./rule-set.ts";
