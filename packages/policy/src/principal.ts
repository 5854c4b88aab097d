import { compileCidr, compileMetadataMatcher, compileStringMatcher, type TextTest } from "@mixerless/matchers";
import type { CidrRange } from "@mixerless/wire/envoy/config/core/v3/address";
import type { Principal } from "@mixerless/wire/envoy/config/rbac/v3/rbac";
import { type CompileContext, compileHeader } from "./compile-context.ts";
import type { PeerFacts } from "./facts.ts";
import { all, not, some, type Test } from "./test.ts";

const NEVER = () => false;
const ALWAYS = () => true;

/** Compiles who asks: `envoy.config.rbac.v3.Principal`. */
export function compilePrincipal<Key>(principal: Principal, path: string, context: CompileContext<Key>): Test<Key> {
  const { faults } = context;
  const { identifier } = principal;
  const many = (ids: readonly Principal[], name: string) =>
    ids.map((one, i) => compilePrincipal(one, `${path}.${name}.ids[${i}]`, context));
  const cidr = (range: CidrRange) => compileCidr(range, `${path}.${identifier.case}`, faults);
  switch (identifier.case) {
    case "any":
      return identifier.value ? ALWAYS : NEVER;
    case "andIds":
      return all(many(identifier.value.ids, "andIds"));
    case "orIds":
      return some(many(identifier.value.ids, "orIds"));
    case "notId":
      return not(compilePrincipal(identifier.value, `${path}.notId`, context));
    case "authenticated": {
      const { principalName } = identifier.value;
      if (principalName === undefined) return (facts) => facts.peer !== null;
      const test = compileStringMatcher(principalName, `${path}.authenticated.principalName`, faults);
      return (facts) => facts.peer !== null && matchesPeer(facts.peer, test);
    }
    // Envoy's old name for what is now remote_ip.
    case "sourceIp":
    case "remoteIp": {
      const test = cidr(identifier.value);
      return (facts) => test(facts.remoteIp);
    }
    case "directRemoteIp": {
      const test = cidr(identifier.value);
      return (facts) => test(facts.directRemoteIp);
    }
    case "header":
      return compileHeader(identifier.value, `${path}.header`, context);
    case "urlPath": {
      const test = compileStringMatcher(identifier.value.rule.value, `${path}.urlPath.path`, faults);
      return (facts) => test(facts.path);
    }
    case "metadata": {
      const { filter, test } = compileMetadataMatcher(identifier.value, `${path}.metadata`, faults);
      return (facts) => test(facts.metadata(filter));
    }
    default:
      faults.push({ path, message: `a principal of kind ${identifier.case ?? "(empty)"} is not supported` });
      return NEVER;
  }
}

/** URI names decide if there are any, then DNS names, then the subject, as Envoy does. */
function matchesPeer({ uriSans, dnsSans, subject }: PeerFacts, test: TextTest): boolean {
  if (uriSans.length > 0) return uriSans.some(test);
  if (dnsSans.length > 0) return dnsSans.some(test);
  return test(subject);
}
