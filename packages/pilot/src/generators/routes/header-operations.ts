import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  HeaderValueOption_HeaderAppendAction,
  type HeaderValueOptionSchema,
} from "@mixerless/wire/envoy/config/core/v3/base";
import type { HeaderOperations, Headers } from "../../config/kinds/virtual-service.ts";

type HeaderValueOption = MessageInitShape<typeof HeaderValueOptionSchema>;

/** The header edits of a route, a destination, or both together, in Envoy's form. */
export interface HeaderEdits {
  readonly requestHeadersToAdd: HeaderValueOption[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: HeaderValueOption[];
  readonly responseHeadersToRemove: string[];
  /** What `host` or `:authority` in `set` (or else `add`) asks for; empty when nothing does. */
  readonly hostRewrite: string;
}

/** Several levels one after the other; the first that rewrites the host wins. */
export function headerEdits(...levels: readonly (Headers | undefined)[]): HeaderEdits {
  const edits: HeaderEdits[] = levels.map((headers) => ({
    requestHeadersToAdd: additions(headers?.request),
    requestHeadersToRemove: removals(headers?.request),
    responseHeadersToAdd: additions(headers?.response),
    responseHeadersToRemove: removals(headers?.response),
    hostRewrite: hostRewrite(headers?.request),
  }));
  return {
    requestHeadersToAdd: edits.flatMap((edit) => edit.requestHeadersToAdd),
    requestHeadersToRemove: edits.flatMap((edit) => edit.requestHeadersToRemove),
    responseHeadersToAdd: edits.flatMap((edit) => edit.responseHeadersToAdd),
    responseHeadersToRemove: edits.flatMap((edit) => edit.responseHeadersToRemove),
    hostRewrite: edits.find((edit) => edit.hostRewrite !== "")?.hostRewrite ?? "",
  };
}

/** All `set` before all `add`, each sorted by name, so that equal configurations give equal bytes. */
function additions(operations: HeaderOperations | undefined): HeaderValueOption[] {
  const { OVERWRITE_IF_EXISTS_OR_ADD, APPEND_IF_EXISTS_OR_ADD } = HeaderValueOption_HeaderAppendAction;
  return [
    ...options(operations?.set, OVERWRITE_IF_EXISTS_OR_ADD),
    ...options(operations?.add, APPEND_IF_EXISTS_OR_ADD),
  ];
}

function options(
  values: Readonly<Record<string, string>> | undefined,
  appendAction: HeaderValueOption_HeaderAppendAction,
): HeaderValueOption[] {
  return Object.entries(values ?? {})
    .filter(([key]) => !isHost(key) && !key.startsWith(":"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ header: { key, value }, appendAction }));
}

function removals(operations: HeaderOperations | undefined): string[] {
  return [...(operations?.remove ?? [])];
}

function hostRewrite(operations: HeaderOperations | undefined): string {
  for (const values of [operations?.set, operations?.add]) {
    for (const [key, value] of Object.entries(values ?? {})) if (isHost(key)) return value;
  }
  return "";
}

function isHost(key: string): boolean {
  const lower = key.toLowerCase();
  return lower === "host" || lower === ":authority";
}
