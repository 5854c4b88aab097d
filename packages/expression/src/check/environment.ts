import type { FunctionTable } from "../library/function-table.ts";
import type { Type } from "../types/type.ts";
import type { Result, Value } from "../values/value.ts";

/** Messages and constants that expressions may name. */
export interface TypeProvider {
  /** What a name stands for as a type: a message, or what a well-known message is to the language. */
  findType(name: string): Type | undefined;
  findField(typeName: string, field: string): Type | undefined;
  fieldNames(typeName: string): readonly string[];
  /** Values of enums. */
  findConstant(name: string): { readonly type: Type; readonly value: Value } | undefined;
  create(typeName: string, fields: ReadonlyMap<string, Value>): Result;
  /** Whether `object['field']` means the same as `object.field`. */
  isIndexable(typeName: string): boolean;
}

/** Variables by name; a name may hold dots. */
export interface VariableTable {
  get(name: string): Type | undefined;
  names(): Iterable<string>;
  /** The type of plain names that are not declared; undefined where there may be none. */
  undeclared(): Type | undefined;
}

/** Variables that are all declared. */
export function variablesOf(types: ReadonlyMap<string, Type>): VariableTable {
  return { get: (name) => types.get(name), names: () => types.keys(), undeclared: () => undefined };
}

/** What an expression may refer to. */
export interface Environment {
  readonly variables: VariableTable;
  readonly functions: FunctionTable;
  readonly types: TypeProvider;
  /** The namespace that names are looked up in first; empty for none. */
  readonly container: string;
}

/** No messages at all. */
export const NO_TYPES: TypeProvider = {
  findType: () => undefined,
  findField: () => undefined,
  fieldNames: () => [],
  findConstant: () => undefined,
  create: (typeName) => {
    throw new Error(`there is no type ${typeName}`);
  },
  isIndexable: () => false,
};
