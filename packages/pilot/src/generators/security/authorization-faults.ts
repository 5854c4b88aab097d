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
    const { action, rules } = config.spec;
    const faults = rules
      .flatMap((rule, i) => translateRule(rule, `spec.rules[${i}]`, ruleFacts(config, push.mesh), "http").problems)
      .map(({ path, message }) =>
        fault(config, { path, message: `${message}. ${EFFECT[action]}.` }, "Correct the value."),
      );
    return action === "CUSTOM" ? [...faults, customFault(config)] : faults;
  });
}

function customFault(config: AuthorizationPolicy): Fault {
  const message = "External authorizers cannot be asked yet. What the rules match is denied.";
  const cure = "Use ALLOW or DENY until they can, or istio.io/dry-run to let requests pass.";
  return fault(config, { path: "spec.action", message }, cure);
}

function fault(config: AuthorizationPolicy, { path, message }: RuleProblem, cure: string): Fault {
  const { file, line, column } = config.originOf(path);
  const object = objectLabel(config.kind, config.namespace, config.name);
  return { code: "not-enforceable", severity: "warning", object, path, file, line, column, message, cure };
}
