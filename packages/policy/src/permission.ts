import { compileCidr, compileMetadataMatcher, compilePathTemplate, compileStringMatcher } from "@mixerless/matchers";
import { unpackAnyAs } from "@mixerless/wire";
import type { TypedExtensionConfig } from "@mixerless/wire/envoy/config/core/v3/extension";
import type { Permission } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import { UriTemplateMatchConfigSchema } from "@mixerless/wire/envoy/extensions/path/match/uri_template/v3/uri_template_match";
import { type CompileContext, compileHeader } from "./compile-context.ts";
import { all, not, some, type Test } from "./test.ts";

const NEVER = () => false;
const ALWAYS = () => true;

/** Compiles what is asked for: `envoy.config.rbac.v3.Permission`. */
export function compilePermission<Key>(permission: Permission, path: string, context: CompileContext<Key>): Test<Key> {
  const { faults } = context;
  const { rule } = permission;
  const many = (rules: readonly Permission[], name: string) =>
    rules.map((one, i) => compilePermission(one, `${path}.${name}.rules[${i}]`, context));
  switch (rule.case) {
    case "any":
      return rule.value ? ALWAYS : NEVER;
    case "andRules":
      return all(many(rule.value.rules, "andRules"));
    case "orRules":
      return some(many(rule.value.rules, "orRules"));
    case "notRule":
      return not(compilePermission(rule.value, `${path}.notRule`, context));
    case "header":
      return compileHeader(rule.value, `${path}.header`, context);
    case "urlPath": {
      const test = compileStringMatcher(rule.value.rule.value, `${path}.urlPath.path`, faults);
      return (facts) => test(facts.path);
    }
    case "uriTemplate": {
      const test = compileTemplate(rule.value, `${path}.uriTemplate`, context);
      return (facts) => test(facts.path);
    }
    case "destinationIp": {
      const test = compileCidr(rule.value, `${path}.destinationIp`, faults);
      return (facts) => test(facts.destinationIp);
    }
    case "destinationPort": {
      const port = rule.value;
      return (facts) => facts.destinationPort === port;
    }
    case "destinationPortRange": {
      const { start, end } = rule.value;
      return (facts) => facts.destinationPort >= start && facts.destinationPort < end;
    }
    case "metadata": {
      const { filter, test } = compileMetadataMatcher(rule.value, `${path}.metadata`, faults);
      return (facts) => test(facts.metadata(filter));
    }
    case "requestedServerName": {
      const test = compileStringMatcher(rule.value, `${path}.requestedServerName`, faults);
      return (facts) => test(facts.requestedServerName);
    }
    default:
      faults.push({ path, message: `a permission of kind ${rule.case ?? "(empty)"} is not supported` });
      return NEVER;
  }
}

function compileTemplate<Key>(config: TypedExtensionConfig, path: string, context: CompileContext<Key>) {
  const { faults } = context;
  if (config.typedConfig === undefined) {
    faults.push({ path: `${path}.typedConfig`, message: "is needed" });
    return NEVER;
  }
  const unpacked = unpackAnyAs(config.typedConfig, UriTemplateMatchConfigSchema);
  if (unpacked.faults !== undefined) {
    for (const fault of unpacked.faults) faults.push({ path: `${path}.typedConfig`, message: fault.message });
    return NEVER;
  }
  return compilePathTemplate(unpacked.message.pathTemplate, `${path}.typedConfig.pathTemplate`, faults);
}
