import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { clone } from "@bufbuild/protobuf";
import type { ConfigObject } from "../config/config-object.ts";
import type { ApplyTo, EnvoyFilterMatch, PatchOperation } from "../config/kinds/policies.ts";

/** One entry of an EnvoyFilter's `configPatches`. */
export interface Patch {
  readonly config: ConfigObject<"EnvoyFilter">;
  /** Its number in the list. */
  readonly index: number;
  readonly applyTo: ApplyTo;
  readonly operation: PatchOperation;
  readonly match: EnvoyFilterMatch;
  /** The message of its `applyTo`; absent only for REMOVE. Never changed. */
  readonly value?: Message;
}

/** Which part of a proxy's configuration is being made. */
export type GenerationContext = "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";

/** How near an element came to be patched. */
export interface Miss {
  /** The conditions that were met before the one that was not. */
  readonly depth: number;
  readonly text: () => string;
}

/** Told what becomes of patches. */
export interface PatchLog {
  /** The patch changed, added or removed an element, such as `listener 0.0.0.0_80`. */
  hit(patch: Patch, element: string): void;
  miss(patch: Patch, miss: Miss): void;
  /** The patch matched and could not be applied. */
  problem(patch: Patch, message: string): void;
}

/** The patches that apply to a proxy, in the order of application. */
export interface ApplicablePatches {
  of(applyTo: ApplyTo, context: GenerationContext): readonly Patch[];
}

/** What every patching function is given. */
export interface Patching {
  readonly context: GenerationContext;
  readonly patches: ApplicablePatches;
  readonly log: PatchLog;
}

/** The field of the patch in its object: `spec.configPatches[2]`. */
export function pathOf({ index }: Patch): string {
  return `spec.configPatches[${index}]`;
}

/** A copy of the patch's value that may be changed. Undefined for a patch without one. */
export function patchValue<D extends DescMessage>({ value }: Patch, schema: D): MessageShape<D> | undefined {
  return value?.$typeName === schema.typeName
    ? (clone(schema, value as MessageShape<D>) as MessageShape<D>)
    : undefined;
}

export function missed(depth: number, text: () => string): Miss {
  return { depth, text };
}

const PLACING: ReadonlySet<PatchOperation> = new Set(["ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"]);

/** ADD, or an insertion where there is no order to insert by [control-plane §1.6]. */
export function isAddition({ operation }: Patch): boolean {
  return PLACING.has(operation);
}

/** A few names for a message: `a, b and 3 more`. */
export function fewNames(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  if (distinct.length === 0) return "none";
  const shown = distinct.slice(0, 6).join(", ");
  return distinct.length > 6 ? `${shown} and ${distinct.length - 6} more` : shown;
}
