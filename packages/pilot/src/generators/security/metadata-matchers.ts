import type { MessageInitShape } from "@bufbuild/protobuf";
import type { MetadataMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/metadata";
import type { ValueMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/value";
import { type Alternatives, each, type Permission, type Principal } from "./alternatives.ts";
import { exactMatcher, regexMatcher, textForm, textMatcher } from "./string-forms.ts";

type MetadataMatcher = MessageInitShape<typeof MetadataMatcherSchema>;
type ValueMatcher = MessageInitShape<typeof ValueMatcherSchema>;
type StringMatcher = ReturnType<typeof textMatcher>;

/** Where the filter that verifies tokens leaves what they say. */
const TOKEN_FILTER = "envoy.filters.http.jwt_authn";
const PAYLOAD = "payload";
const PRESENT = regexMatcher(".+");

/** Who a token speaks for: `issuer/subject`. */
export const requestPrincipals: Alternatives<Principal> = each((value) => {
  const [issuer, subject] = issuerAndSubject(value);
  return {
    identifier: {
      case: "andIds",
      value: { ids: [claimPrincipal(["iss"], text(issuer)), claimPrincipal(["sub"], text(subject))] },
    },
  };
});

/** A claim of the token: a text or a list of them. */
export function claim(...path: readonly string[]): Alternatives<Principal> {
  return (values) => {
    const value = anyOf(values.map((entry) => text(textMatcher(entry))));
    const either = [{ matchPattern: { case: "listMatch" as const, value: oneOf(value) } }, value];
    return [claimPrincipal(path, { matchPattern: { case: "orMatch", value: { valueMatchers: either } } })];
  };
}

/** What another filter noted; `[x]` looks for x in a list. */
export function filterMetadata(filter: string, path: readonly string[]): Alternatives<Permission> {
  return (values) => {
    const value = anyOf(values.map(noted));
    return [{ rule: { case: "metadata", value: metadata(filter, path, value) } }];
  };
}

function noted(value: string): ValueMatcher {
  const inList = /^\[(.*)\]$/s.exec(value)?.[1];
  return inList === undefined
    ? text(textMatcher(value))
    : { matchPattern: { case: "listMatch", value: oneOf(text(textMatcher(inList))) } };
}

/** Split at the last slash, with a star at either end of the whole value [control-plane §6.3]. */
function issuerAndSubject(value: string): readonly [StringMatcher, StringMatcher] {
  const slash = value.lastIndexOf("/");
  const whole = textForm(value);
  const issuer = value.slice(0, slash);
  const subject = value.slice(slash + 1);
  switch (whole.kind) {
    case "present":
      return [PRESENT, PRESENT];
    case "suffix":
      return slash < 0 ? [PRESENT, textMatcher(value)] : [textMatcher(issuer), exactMatcher(subject)];
    case "prefix":
      return slash < 0 ? [textMatcher(value), PRESENT] : [exactMatcher(issuer), textMatcher(subject)];
    case "exact":
      return slash < 0 ? [exactMatcher(value), exactMatcher("")] : [exactMatcher(issuer), exactMatcher(subject)];
  }
}

function text(matcher: StringMatcher): ValueMatcher {
  return { matchPattern: { case: "stringMatch", value: matcher } };
}

function anyOf(matchers: readonly ValueMatcher[]): ValueMatcher {
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1) return only;
  return { matchPattern: { case: "orMatch", value: { valueMatchers: [...matchers] } } };
}

function oneOf(value: ValueMatcher) {
  return { matchPattern: { case: "oneOf" as const, value } };
}

function claimPrincipal(path: readonly string[], value: ValueMatcher): Principal {
  return { identifier: { case: "metadata", value: metadata(TOKEN_FILTER, [PAYLOAD, ...path], value) } };
}

function metadata(filter: string, path: readonly string[], value: ValueMatcher): MetadataMatcher {
  return { filter, path: path.map((key) => ({ segment: { case: "key" as const, value: key } })), value };
}
