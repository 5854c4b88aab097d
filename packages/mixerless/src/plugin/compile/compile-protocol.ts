/** What the process with the compiler is asked for. */
export interface CompileRequest {
  /** All paths are relative to it. */
  readonly root: string;
  readonly entry: string;
  readonly sdk: string;
  /** For quick builds while somebody edits: four times faster to make, bigger and slower. */
  readonly quick: boolean;
}

/** A fault as the author has to see it. */
export interface Diagnostic {
  /** Relative to the plugin's folder; "" where the fault belongs to no file. */
  readonly file: string;
  /** From 1; 0 where there is none. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The module, or what keeps it from being made. */
export interface CompileResult {
  readonly wasm: Uint8Array<ArrayBuffer> | null;
  /** The compiler's source map, JSON. */
  readonly sourceMap: string;
  readonly diagnostics: readonly Diagnostic[];
}
