import type { FrozenPositions } from "../module/position-map.ts";
import type { SourcePositions } from "../module/source-positions.ts";

export type FailureKind =
  /** The module ran into a trap. */
  | "trap"
  /** Too many instructions in one callback or stream. */
  | "fuel"
  /** Too many host calls in one callback. */
  | "work"
  /** Start or configure took too long. */
  | "timeout"
  /** A host call where none is allowed. */
  | "restricted"
  /** The module called proc_exit. */
  | "exit"
  /** vm_start or configure said no. */
  | "refused"
  /** The VM could not be made. */
  | "create";

/** Why a VM can't be used any more. */
export interface VmFailure {
  readonly kind: FailureKind;
  /** The callback or start function; "" where there is none. */
  readonly callback: string;
  readonly message: string;
  /** Innermost first: positions as in the module's file, and in its sources where it has a source map. */
  readonly backtrace: readonly string[];
}

/** Thrown by host functions to end what the module does. Never leaves the VM. */
export class HostTrap extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const FRAME = /^\s*at (?:(.*?) \()?wasm:\/\/.*wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;
const FRAMES = 20;

/** The module's part of a stack, its positions led back to the module, and to the sources, as its author knows them. */
export function backtraceOf(
  stack: string,
  positions: FrozenPositions,
  sources: SourcePositions | null = null,
): string[] {
  const frames: string[] = [];
  for (const line of stack.split("\n")) {
    const found = FRAME.exec(line);
    if (found === null) continue;
    const [, name = "", index = "", offset = ""] = found;
    const position = positions.originalOf(Number.parseInt(offset, 16));
    const label = name.length > 0 ? name.replace(/^wasm-function\[\d+\]$/, "") : "";
    const place = sources?.describe(position) ?? null;
    const where = place === null ? "" : ` (${place})`;
    frames.push(`0x${position.toString(16)} - ${label.length > 0 ? label : `function[${index}]`}${where}`);
    if (frames.length === FRAMES) break;
  }
  return frames;
}

/** As Envoy prints it [proxy-wasm §13.1]. */
export function describeFailure({ callback, message, backtrace }: VmFailure): string {
  const first = callback.length > 0 ? `Function: ${callback} failed: ${message}` : message;
  if (backtrace.length === 0) return first;
  const frames = backtrace.map((frame, at) => `${String(at).padStart(3)}:  ${frame}`);
  return [first, "Proxy-Wasm plugin in-VM backtrace:", ...frames].join("\n");
}
