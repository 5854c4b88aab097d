import type { Result } from "../values/value.ts";

/** Reads one attribute. Undefined: there is none. */
export type AttributeReader<S> = (source: S) => Result | undefined;

/**
 * Where attributes come from. Paths are resolved once, when an expression is compiled, so that reading costs what the
 * attribute costs and nothing more.
 */
export interface AttributeSource<S> {
  /**
   * The reader of a path such as `["request", "headers", "host"]`; elements of lists by their index. Null: this path can only be reached by selecting from
   * a shorter one, for which there is a reader. The path of a variable alone always has one.
   */
  resolve(path: readonly string[]): AttributeReader<S> | null;
}
