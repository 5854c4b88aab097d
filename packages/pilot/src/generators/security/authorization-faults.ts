import type { Fault } from "../../config/fault.ts";
import { objectLabel } from "../../config/read-config.ts";
import type { PushContext } from "../../model/push-context.ts";
import { type AuthorizationPolicy, ruleFacts } from "./named-rules.ts";
import { type RuleProblem, translateRule } from "./translate-rule.ts";

const EFFECT = {
  ALLOW: "The rule allows nothing",
  DENY: "The rule denies as if this were not there",
  AUDIT: "The rule marks as if this were not there",
  CUSTOM: "The rule denies as if this were not there",
} as const;

/** What of the policies in use cannot be enforced as written; all of it fails closed. */
export function authorizationFaults(push: PushContext): Fault[] {
  return push.configs("AuthorizationPolicy").flatMap((config) => {
    const faults = config.spec.rules
      .flatMap((rule, i) => translateRule(rule, `spec.rules[${i}]`, ruleFacts(config, push.mesh), "http").problems)
      .map((problem) => valueFault(config, problem));
    return config.spec.action === "CUSTOM" ? [...faults, customFault(config)] : faults;
  });
}

function valueFault(config: AuthorizationPolicy, { path, message }: RuleProblem): Fault {
  return {
    ...placeOf(config, path),
    code: "not-enforceable",
    severity: "warning",
    message: `This cannot be enforced: ${message}. ${EFFECT[config.spec.action]}.`,
    cure: "Correct the value.",
  };
}

function customFault(config: AuthorizationPolicy): Fault {
  return {
    ...placeOf(config, "spec.action"),
    code: "no-authorizer",
    severity: "warning",
    message: "External authorizers cannot be asked yet. What the rules match is denied.",
    cure: "Use ALLOW or DENY until they can, or the annotation istio.io/dry-run to let requests pass.",
  };
}

function placeOf(config: AuthorizationPolicy, path: string) {
  const { file, line, column } = config.originOf(path);
  return { object: objectLabel(config.kind, config.namespace, config.name), path, file, line, column };
}
