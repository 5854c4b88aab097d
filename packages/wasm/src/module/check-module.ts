import { acceptedSignatures } from "./abi.ts";
import { ENV_FUNCTIONS, isWasiModule, WASI_FUNCTIONS } from "./host-functions.ts";
import type { ModuleImport, ModuleInfo } from "./parse-module.ts";
import { describeSignature, type Signature } from "./signature.ts";

/** What keeps the imports of a module from being linked, in the words that operators know from Envoy; null: nothing. */
export function checkImports(info: ModuleInfo): string | null {
  const missing: string[] = [];
  const mismatches: string[] = [];
  for (const wanted of info.imports) {
    const name = `${wanted.module}.${wanted.name}`;
    if (wanted.kind === "memory" || wanted.kind === "table") {
      return `Failed to load Wasm module due to an imported ${wanted.kind}: ${name}. Let the module define its own`;
    }
    if (wanted.kind !== "function")
      return `Failed to load Wasm module due to an unsupported import: ${name} (${wanted.kind})`;
    const offered = offeredSignature(wanted);
    if (offered === null) missing.push(name);
    else if (offered !== wanted.signature) mismatches.push(mismatch(name, wanted.signature ?? ":", offered));
  }
  if (missing.length > 0) return `Failed to load Wasm module due to a missing import: ${list(missing)}`;
  return mismatches[0] ?? null;
}

function mismatch(name: string, want: Signature, has: Signature): string {
  return (
    `Failed to load Wasm module due to an import type mismatch for function: ${name}, ` +
    `want: ${describeSignature(want)}, but host exports: ${describeSignature(has)}`
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/** The type of the host's function; null where it has none. A WASI function that the host doesn't know gets a stub. */
function offeredSignature({ module, name, signature }: ModuleImport): Signature | null {
  if (module === "env") return lookUp(ENV_FUNCTIONS, name);
  if (!isWasiModule(module)) return null;
  const known = lookUp(WASI_FUNCTIONS, name);
  if (known !== null) return known;
  return signature?.endsWith(":i") === true || signature?.endsWith(":") === true ? signature : null;
}

function lookUp(table: Readonly<Record<string, Signature>>, name: string): Signature | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}

/** The first export that the host would call in another type than it has; null: none. */
export function checkExports(info: ModuleInfo): string | null {
  for (const { name, kind, index } of info.exports) {
    const accepted = kind === "function" ? acceptedSignatures(name) : null;
    if (accepted === null) continue;
    const type = info.types[info.functions[index] ?? -1] ?? ":";
    if (accepted.includes(type) || (name === "main" && type.length > 0)) continue;
    return (
      `Bad function signature for: ${name}, want: ${describeSignature(accepted[0] ?? ":")}, ` +
      `but the module exports: ${describeSignature(type)}`
    );
  }
  return null;
}

export function hasAllocator(info: ModuleInfo): boolean {
  return info.exports.some(
    ({ kind, name }) => kind === "function" && (name === "malloc" || name === "proxy_on_memory_allocate"),
  );
}
