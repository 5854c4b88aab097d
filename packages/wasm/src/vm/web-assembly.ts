// The engine's interface, as far as the host uses it: the library of types that the repository compiles with is that of
// the language alone, and the browser's library, which has it, would bring a window along.

export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

export type WasmImports = Record<string, Record<string, (...args: never[]) => unknown>>;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WasmInstance {
  readonly exports: Record<string, unknown>;
}

interface Engine {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>;
  readonly Instance: new (module: WasmModule, imports: WasmImports) => WasmInstance;
  readonly Memory: new (...args: never[]) => WasmMemory;
}

export const engine: Engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;
