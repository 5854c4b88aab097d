import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HeaderMatcherSchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { StringMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/string";

type StringMatcher = MessageInitShape<typeof StringMatcherSchema>;
export type HeaderMatcher = MessageInitShape<typeof HeaderMatcherSchema>;

/** How policies write text: `*` for anything but nothing, `*x`, `x*`, or just `x`. */
export type TextForm =
  | { readonly kind: "present" }
  | { readonly kind: "exact" | "prefix" | "suffix"; readonly text: string };

/** A `*` in front goes before one at the end, which is a plain character then, as everywhere else. */
export function textForm(value: string): TextForm {
  if (value === "*") return { kind: "present" };
  if (value.startsWith("*")) return { kind: "suffix", text: value.slice(1) };
  if (value.endsWith("*")) return { kind: "prefix", text: value.slice(0, -1) };
  return { kind: "exact", text: value };
}

export function regexMatcher(regex: string): StringMatcher {
  return { matchPattern: { case: "safeRegex", value: { regex } } };
}

/** Present means not empty. */
export function textMatcher(value: string): StringMatcher {
  const form = textForm(value);
  if (form.kind === "present") return regexMatcher(".+");
  return { matchPattern: { case: form.kind, value: form.text } };
}

export function exactMatcher(value: string): StringMatcher {
  return { matchPattern: { case: "exact", value } };
}

/** Present means that the header is there. */
export function headerMatcher(name: string, value: string, ignoreCase = false): HeaderMatcher {
  if (textForm(value).kind === "present") return { name, headerMatchSpecifier: { case: "presentMatch", value: true } };
  return { name, headerMatchSpecifier: { case: "stringMatch", value: { ...textMatcher(value), ignoreCase } } };
}

/** `text` as a part of an RE2 pattern that stands for itself. */
export function quoted(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, "\\$&");
}
