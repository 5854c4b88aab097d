import type { Overload } from "../library/overload.ts";
import type { Node } from "../syntax/ast.ts";
import type { Type } from "../types/type.ts";
import type { Value } from "../values/value.ts";

/** What a name was found to stand for. */
export type Reference =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "constant"; readonly value: Value }
  | { readonly kind: "local"; readonly slot: number }
  /** Nothing; only where checks are lenient. */
  | { readonly kind: "undeclared"; readonly name: string };

/** What the checker found out about a node. */
export interface Note {
  type: Type;
  reference?: Reference;
  /** Of a call: those that may apply. More than one: the values decide. */
  overloads?: readonly Overload[];
  /** Of a call: the target is the first argument; otherwise it is a namespace, or there is none. */
  member?: boolean;
  /** Of a message: its full name. */
  typeName?: string;
  /** Of nodes that bring variables in: the slots of the variable and of the key. */
  slots?: readonly [variable: number, key: number];
}

export interface Checked {
  readonly node: Node;
  readonly notes: ReadonlyMap<Node, Note>;
  readonly type: Type;
  /** How many local variables exist at once at most. */
  readonly locals: number;
}
