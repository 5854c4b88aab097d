// What Istio says that policies mean [control-plane §6.2], straight from the objects as written. It knows nothing
// of Envoy's messages and shares no code with what it is compared to.
import type { Call, Surroundings, WrittenPolicy, WrittenRule } from "./call.ts";
import { isHttpOnly, type Question, questionOf } from "./model-questions.ts";

/** Whether a call may pass: CUSTOM before DENY before ALLOW, and everything where nothing allows. */
export function judge(policies: readonly WrittenPolicy[], call: Call, around: Surroundings): "allow" | "deny" {
  const applying = policies.filter((policy) => applies(policy, around) && !isTrial(policy));
  const of = (action: string) => applying.filter(({ spec }) => (spec.action ?? "ALLOW") === action);
  const matched = (policy: WrittenPolicy) =>
    (policy.spec.rules ?? []).some((rule) => ruleHolds(rule, policy, call, around));
  // Nobody can be asked for a CUSTOM verdict yet, so there is none but no.
  if (of("CUSTOM").some(matched)) return "deny";
  if (of("DENY").some(matched)) return "deny";
  const allowing = of("ALLOW");
  return allowing.length === 0 || allowing.some(matched) ? "allow" : "deny";
}

function applies({ metadata, spec }: WrittenPolicy, { rootNamespace, workload }: Surroundings): boolean {
  if (metadata.namespace !== rootNamespace && metadata.namespace !== workload.namespace) return false;
  return Object.entries(spec.selector?.matchLabels ?? {}).every(([key, value]) => workload.labels[key] === value);
}

function isTrial({ metadata }: WrittenPolicy): boolean {
  return /^(1|t|T|true|True|TRUE)$/.test(metadata.annotations?.["istio.io/dry-run"] ?? "");
}

function ruleHolds(rule: WrittenRule, policy: WrittenPolicy, call: Call, around: Surroundings): boolean {
  const allows = (policy.spec.action ?? "ALLOW") === "ALLOW";
  const groups = groupsOf(rule);
  const asked = groups.flat(2);
  const usable = (question: Question) => question.answerable && !(call.http === null && isHttpOnly(question.subject));
  // A rule that cannot be asked as a whole allows nothing; what denies just asks less.
  if (allows && !asked.every(usable)) return false;
  const holds = (question: Question) =>
    !usable(question) || question.holds(call, { around, namespace: policy.metadata.namespace });
  return groups.every((alternatives) => alternatives.length === 0 || alternatives.some((all) => all.every(holds)));
}

/** From, to and each condition: groups of which one alternative must hold, each a list of questions that all must. */
function groupsOf(rule: WrittenRule): Question[][][] {
  const lists = (written: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(written)
      .filter(([, values]) => values.length > 0)
      .map(([field, values]) => {
        const negated = /^not[A-Z]/.test(field);
        const subject = negated ? field.charAt(3).toLowerCase() + field.slice(4) : field;
        return questionOf(subject, values, negated);
      });
  const conditions = (rule.when ?? []).map(({ key, values = [], notValues = [] }) => [
    [
      ...(values.length > 0 ? [questionOf(key, values, false)] : []),
      ...(notValues.length > 0 ? [questionOf(key, notValues, true)] : []),
    ],
  ]);
  return [
    (rule.from ?? []).map(({ source }) => lists(source)),
    (rule.to ?? []).map(({ operation }) => lists(operation)),
    ...conditions,
  ];
}
