import { createHash } from "node:crypto";
import { engine, type WasmModule } from "../vm/web-assembly.ts";
import { type AbiVersion, detectAbi } from "./abi.ts";
import { MalformedModule } from "./binary-reader.ts";
import { checkExports, checkImports, hasAllocator } from "./check-module.ts";
import { type Instrumented, type InstrumentOptions, instrument } from "./instrument.ts";
import { type ModuleImport, type ModuleInfo, parseModule } from "./parse-module.ts";
import type { FrozenPositions } from "./position-map.ts";
import type { Signature } from "./signature.ts";
import { type SourcePositions, sourcePositionsOf } from "./source-positions.ts";

export type LoadFaultCode =
  | "wasm_too_large"
  | "wasm_corrupted"
  | "wasm_abi_unknown"
  | "wasm_rejected"
  | "wasm_unsupported"
  | "wasm_import"
  | "wasm_export"
  | "wasm_allocator_missing";

/** Why a module can't be used. The plugin's owner has to act. */
export interface LoadFault {
  readonly code: LoadFaultCode;
  readonly message: string;
}

/** A module that was checked, rewritten and compiled. Any number of VMs can be made from it. */
export interface LoadedModule {
  readonly compiled: WasmModule;
  readonly abi: AbiVersion;
  readonly imports: readonly ModuleImport[];
  /** Types of the exported functions. */
  readonly functions: ReadonlyMap<string, Signature>;
  readonly positions: FrozenPositions;
  /** Null: the module does not say what it was made of. */
  readonly sources: SourcePositions | null;
  readonly fuelExport: string;
  readonly startExport: string | null;
  /** SHA-256 of the bytes that were handed in, hexadecimal. */
  readonly digest: string;
  /** Bytes handed in. */
  readonly size: number;
  /** What the owner should know although the module runs. */
  readonly warnings: readonly string[];
}

export interface LoadOptions extends InstrumentOptions {
  /** Most bytes of a module. */
  readonly moduleBytes: number;
}

/**
 * Checks, rewrites and compiles a module. The engine works in the background and the rewriting lets other work have
 * its turn, so that traffic doesn't wait. Never throws: what is wrong with the module is the answer.
 */
export async function loadModule(
  bytes: Uint8Array<ArrayBuffer>,
  options: LoadOptions,
): Promise<LoadedModule | LoadFault> {
  if (bytes.length > options.moduleBytes) {
    return fault("wasm_too_large", `The module has ${bytes.length} bytes; ${options.moduleBytes} are allowed`);
  }
  const info = parseModule(bytes);
  if ("fault" in info) return fault("wasm_corrupted", `Failed to parse corrupted Wasm module: it ${info.fault}`);
  const abi = detectAbi(info);
  if (abi === null) return fault("wasm_abi_unknown", UNKNOWN_ABI);
  const rejected = await compile(bytes);
  if (typeof rejected === "string") return fault("wasm_rejected", `${NOT_LOADED}: ${rejected}`);
  const faults = checkLinks(info);
  if (faults !== null) return faults;
  const rewritten = await rewrite(bytes, info, options);
  if (typeof rewritten === "string") return fault("wasm_unsupported", `The module ${rewritten}`);
  const compiled = await compile(rewritten.bytes);
  if (typeof compiled === "string") return fault("wasm_rejected", `${NOT_LOADED} after rewriting: ${compiled}`);
  const { positions, fuelExport, startExport } = rewritten;
  return {
    ...{ compiled, abi, imports: info.imports, functions: exportedFunctions(info) },
    ...{ positions, fuelExport, startExport, size: bytes.length, warnings: warningsOf(info, abi) },
    sources: sourcePositionsOf(bytes, info),
    digest: createHash("sha256").update(bytes).digest("hex"),
  };
}

const NOT_LOADED = "Failed to load Wasm bytecode";

const UNKNOWN_ABI =
  "Missing or unknown Proxy-Wasm ABI version. The module has to export one of proxy_abi_version_0_1_0, " +
  "proxy_abi_version_0_2_0 and proxy_abi_version_0_2_1: build it with a Proxy-Wasm SDK";

export function isFault(result: LoadedModule | LoadFault): result is LoadFault {
  return "code" in result;
}

function fault(code: LoadFaultCode, message: string): LoadFault {
  return { code, message };
}

function checkLinks(info: ModuleInfo): LoadFault | null {
  const imports = checkImports(info);
  if (imports !== null) return fault("wasm_import", imports);
  const exports = checkExports(info);
  if (exports !== null) return fault("wasm_export", exports);
  if (!hasAllocator(info)) return fault("wasm_allocator_missing", "Wasm module is missing malloc function.");
  return null;
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule | string> {
  try {
    return await engine.compile(bytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function rewrite(
  bytes: Uint8Array,
  info: ModuleInfo,
  options: InstrumentOptions,
): Promise<Instrumented | string> {
  try {
    const steps = instrument(bytes, info, options);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    if (error instanceof MalformedModule) return error.message;
    throw error;
  }
}

function exportedFunctions(info: ModuleInfo): ReadonlyMap<string, Signature> {
  const functions = info.exports.filter(({ kind }) => kind === "function");
  return new Map(functions.map(({ name, index }) => [name, info.types[info.functions[index] ?? -1] ?? ":"]));
}

/** Functions of 0.1.0 only, which Envoy doesn't link for later versions. */
const OLD_ONLY = [
  "proxy_clear_route_cache",
  "proxy_continue_request",
  "proxy_continue_response",
  "proxy_get_configuration",
];

function warningsOf(info: ModuleInfo, abi: AbiVersion): string[] {
  if (abi === "0.1.0") return [];
  const old = info.imports.filter(({ module, name }) => module === "env" && OLD_ONLY.includes(name));
  return old.map(
    ({ name }) => `imports env.${name}, which Envoy offers to modules of ABI 0.1.0 only (this one is ${abi})`,
  );
}
