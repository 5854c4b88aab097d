import type { Clock } from "@mixerless/clock";
import type { HeaderValueOption } from "@mixerless/wire/envoy/config/core/v3/base";
import { HeaderValueOption_HeaderAppendAction } from "@mixerless/wire/envoy/config/core/v3/base";
import { compileText } from "../../access-log/format/compile-format.ts";
import type { LineFormat } from "../../access-log/format/text-format.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { HeaderMap } from "../header-map.ts";
import { HeaderName } from "../header-name.ts";

interface Addition {
  readonly name: HeaderName;
  /** Text without operators, or null. */
  readonly constant: string | null;
  readonly format: LineFormat;
  readonly action: HeaderValueOption_HeaderAppendAction;
  readonly keepEmpty: boolean;
}

/** What one level of a route configuration does to a header section: removals first, then additions in order. */
export class HeaderMutations {
  readonly #removals: readonly HeaderName[];
  readonly #additions: readonly Addition[];

  constructor(removals: readonly HeaderName[], additions: readonly Addition[]) {
    this.#removals = removals;
    this.#additions = additions;
  }

  get empty(): boolean {
    return this.#removals.length === 0 && this.#additions.length === 0;
  }

  apply(headers: HeaderMap, info: StreamInfo): void {
    for (const name of this.#removals) headers.remove(name);
    for (const addition of this.#additions) add(headers, addition, info);
  }
}

function add(headers: HeaderMap, addition: Addition, info: StreamInfo): void {
  const value = addition.constant ?? addition.format(info);
  if (value === "" && !addition.keepEmpty) return;
  switch (addition.action) {
    case HeaderValueOption_HeaderAppendAction.ADD_IF_ABSENT:
      if (!headers.has(addition.name)) headers.add(addition.name, value);
      break;
    case HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS:
      if (headers.has(addition.name)) headers.set(addition.name, value);
      break;
    case HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD:
      headers.set(addition.name, value);
      break;
    default:
      headers.add(addition.name, value);
  }
}

/** Compiles `…_headers_to_add` and `…_headers_to_remove`. `prefix` is the path up to `HeadersTo`. */
export function compileHeaderMutations(
  additions: readonly HeaderValueOption[],
  removals: readonly string[],
  clock: Clock,
  prefix: string,
  faults: ConfigFault[],
): HeaderMutations {
  return new HeaderMutations(
    removals.map((name, i) => mutableName(name, `${prefix}HeadersToRemove[${i}]`, faults)),
    additions.map((option, i) => compileAddition(option, clock, `${prefix}HeadersToAdd[${i}]`, faults)),
  );
}

function compileAddition(option: HeaderValueOption, clock: Clock, path: string, faults: ConfigFault[]): Addition {
  const value =
    option.header === undefined || option.header.rawValue.length === 0
      ? (option.header?.value ?? "")
      : Buffer.from(option.header.rawValue).toString("utf8");
  const format = compileText(value, { clock, expressions: null }, `${path}.header.value`, faults, "");
  return {
    name: mutableName(option.header?.key ?? "", `${path}.header.key`, faults),
    constant: value.includes("%") ? null : Buffer.from(value, "utf8").toString("latin1"),
    format,
    action: actionOf(option),
    keepEmpty: option.keepEmptyValue,
  };
}

/** `append` is the older spelling and wins where it is present, as in Envoy. */
function actionOf(option: HeaderValueOption): HeaderValueOption_HeaderAppendAction {
  if (option.append === undefined) return option.appendAction;
  return option.append
    ? HeaderValueOption_HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD
    : HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD;
}

/** Pseudo headers and `host` are changed by rewrites only: routing and framing rest on them. */
function mutableName(name: string, path: string, faults: ConfigFault[]): HeaderName {
  const lower = name.toLowerCase();
  if (lower === "" || lower.startsWith(":") || lower === "host") {
    faults.push({ path, message: `"${name}" cannot be added or removed` });
  }
  return HeaderName.of(lower);
}
