import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { formatFault, packAny, unpackAny } from "@mixerless/wire";
import { isSameFilter } from "../config/kinds/filter-names.ts";
import type { PatchOperation } from "../config/kinds/policies.ts";
import { mergeMessages } from "./merge-messages.ts";
import { fewNames, missed, type Patch, type PatchLog, patchValue } from "./patch.ts";

/** What listener filters, network filters and HTTP filters have in common. */
export type NamedFilter = Message & {
  name: string;
  configType: { case: "typedConfig"; value: Any } | { case: string | undefined; value?: unknown };
};

/** One list of filters and how patches speak of its members. */
export interface FilterList<D extends DescMessage> {
  readonly schema: D;
  /** As in messages: `HTTP filter`. */
  readonly what: string;
  /** Where the list is: `listener 0.0.0.0_80`. */
  readonly where: string;
  /** The name that the patch asks for; empty: any. */
  readonly wanted: (patch: Patch) => string;
  /** Whether a MERGE may give another name. */
  readonly renames: boolean;
}

/** How many conditions were met before the filter is looked for. */
const FILTER_DEPTH = 4;

type Shape<D extends DescMessage> = MessageShape<D> & NamedFilter;

/** Additions, insertions, replacements and removals, one after the other [control-plane §1.6]. */
export function placeFilter<D extends DescMessage>(
  list: FilterList<D>,
  filters: Shape<D>[],
  patch: Patch,
  log: PatchLog,
): void {
  const wanted = list.wanted(patch);
  const value = patchValue(patch, list.schema) as Shape<D> | undefined;
  const index = wanted === "" ? -1 : filters.findIndex(({ name }) => isSameFilter(name, wanted));
  const at = positionOf(patch.operation, wanted, index, filters.length);
  if (at === null) {
    log.miss(patch, missingFilter(list, filters, wanted));
    return;
  }
  if (patch.operation === "REMOVE") {
    const rest = filters.filter(({ name }) => !isSameFilter(name, wanted));
    filters.splice(0, filters.length, ...rest);
    log.hit(patch, `${list.what} ${wanted} of ${list.where}`);
  } else if (value !== undefined) {
    filters.splice(at, patch.operation === "REPLACE" ? 1 : 0, value);
    log.hit(patch, `${list.what} ${value.name} of ${list.where}`);
  }
}

/** Where in the list an operation takes place; null when it has no effect. `index`: of the filter to go by. */
function positionOf(operation: PatchOperation, wanted: string, index: number, length: number): number | null {
  const first = index < 0 ? null : index;
  switch (operation) {
    case "ADD":
      return length;
    case "INSERT_FIRST":
      return 0;
    case "INSERT_BEFORE":
      return wanted === "" ? 0 : first;
    case "INSERT_AFTER":
      return wanted === "" ? length : first === null ? null : first + 1;
    default:
      return first;
  }
}

/** Merges a patch into one filter if it means it. */
export function mergeFilter<D extends DescMessage>(
  list: FilterList<D>,
  filter: Shape<D>,
  patch: Patch,
  log: PatchLog,
): boolean {
  const wanted = list.wanted(patch);
  if (wanted !== "" && !isSameFilter(filter.name, wanted)) return false;
  const value = patchValue(patch, list.schema) as Shape<D> | undefined;
  if (value === undefined) return false;
  const { name: before, configType } = filter;
  if (configType.case !== "typedConfig") {
    log.problem(patch, `${list.what} ${before} of ${list.where} has no typed_config that a MERGE could change`);
    return false;
  }
  if (value.configType.case === "typedConfig") {
    const merged = mergeAny(configType.value as Any, value.configType.value as Any);
    if (typeof merged === "string") {
      log.problem(patch, `${list.what} ${before} of ${list.where}: ${merged}`);
      return false;
    }
    filter.configType = { case: "typedConfig", value: merged };
  }
  if (list.renames && value.name !== "") filter.name = value.name;
  log.hit(patch, `${list.what} ${filter.name} of ${list.where}`);
  return true;
}

/** Both unpacked, merged and packed again; the reason, when they cannot be. */
export function mergeAny(target: Any, source: Any): Any | string {
  if (typeName(target) !== typeName(source))
    return `its typed_config is a ${typeName(target)}, that of the patch a ${typeName(source)}`;
  const mine = unpackAny(target);
  if (mine.faults !== undefined) return mine.faults.map(formatFault).join("; ");
  const other = unpackAny(source);
  if (other.faults !== undefined) return other.faults.map(formatFault).join("; ");
  mergeMessages(mine.schema, mine.message as never, other.message as never);
  return packAny(mine.schema, mine.message as never, target.typeUrl);
}

/** Says that no filter of the list has the name. */
export function missingFilter<D extends DescMessage>(
  { what, where }: FilterList<D>,
  filters: readonly NamedFilter[],
  wanted: string,
) {
  const names = filters.map(({ name }) => name);
  return wanted === ""
    ? missed(FILTER_DEPTH, () => `the patch does not say which ${what} of ${where} it means`)
    : missed(FILTER_DEPTH, () => `${where} has no ${what} ${wanted}; it has ${fewNames(names)}`);
}

function typeName({ typeUrl }: Any): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}
