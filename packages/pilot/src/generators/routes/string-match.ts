import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StringMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/string";
import type { StringMatch } from "../../config/kinds/common.ts";

/** Exact, prefix and regex of Istio's StringMatch. An empty match has no such form: it asks for presence. */
export function stringMatcher(match: StringMatch): MessageInitShape<typeof StringMatcherSchema> {
  switch (match.type) {
    case "exact":
      return { matchPattern: { case: "exact", value: match.value } };
    case "prefix":
      return { matchPattern: { case: "prefix", value: match.value } };
    default:
      return { matchPattern: { case: "safeRegex", value: { regex: match.value } } };
  }
}

/** Whether the match only asks that the field is there: empty, or the regex `*` [control-plane §7.10]. */
export function asksForPresence(match: StringMatch): boolean {
  return match.type === "present" || (match.type === "regex" && match.value === "*");
}
