import type { Library, Overload } from "./overload.ts";

/** The functions that expressions of one environment may call. */
export class FunctionTable {
  readonly #overloads = new Map<string, Overload[]>();

  constructor(libraries: readonly Library[]) {
    for (const overload of libraries.flat()) {
      const known = this.#overloads.get(overload.name);
      if (known === undefined) this.#overloads.set(overload.name, [overload]);
      else known.push(overload);
    }
  }

  find(name: string): readonly Overload[] | undefined {
    return this.#overloads.get(name);
  }

  /** What may be called by name: on a value, or not. */
  names(member: boolean): string[] {
    const names = [...this.#overloads.entries()].filter(([, overloads]) =>
      overloads.some((one) => one.member === member),
    );
    return names.map(([name]) => name).filter((name) => /^[a-z]/i.test(name));
  }
}
