import type { Value } from "../values/value.ts";

interface NodeBase {
  /** Where it stands in the source, for faults. */
  readonly offset: number;
  /** Levels below and with this one: bounds the recursion of whatever walks the tree. */
  readonly depth: number;
}

export interface ConstantNode extends NodeBase {
  readonly kind: "constant";
  readonly value: Value;
}

/** A name; a leading dot makes it absolute. */
export interface IdentNode extends NodeBase {
  readonly kind: "ident";
  readonly name: string;
}

/** `operand.field`; with `test`, `has(operand.field)`; with `optional`, `operand.?field`. */
export interface SelectNode extends NodeBase {
  readonly kind: "select";
  readonly operand: Node;
  readonly field: string;
  readonly test: boolean;
  readonly optional: boolean;
}

/** A function or an operator such as `_+_`. `&&` and `||` may have more than two arguments. */
export interface CallNode extends NodeBase {
  readonly kind: "call";
  readonly name: string;
  readonly target: Node | null;
  readonly args: readonly Node[];
}

export interface ListNode extends NodeBase {
  readonly kind: "list";
  readonly elements: readonly ListElement[];
}

export interface ListElement {
  readonly value: Node;
  readonly optional: boolean;
}

export interface MapNode extends NodeBase {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: Node;
  readonly value: Node;
  readonly optional: boolean;
}

/** `Name{field: value}`. */
export interface MessageNode extends NodeBase {
  readonly kind: "message";
  readonly name: string;
  readonly fields: readonly MessageField[];
}

export interface MessageField {
  readonly name: string;
  readonly value: Node;
  readonly optional: boolean;
  readonly offset: number;
}

export type LoopKind =
  | "all"
  | "exists"
  | "existsOne"
  | "filter"
  | "map"
  | "transformList"
  | "transformMap"
  | "transformMapEntry";

/** A macro that runs over a list or a map. It stays one node: nothing is copied, so nothing can explode. */
export interface LoopNode extends NodeBase {
  readonly kind: "loop";
  readonly loop: LoopKind;
  readonly range: Node;
  /** The name of the index or key in the form with two variables. */
  readonly key: string | null;
  readonly variable: string;
  /** Elements for which it is false are left out. */
  readonly filter: Node | null;
  readonly body: Node;
}

/** `cel.bind(name, value, body)`. */
export interface BindNode extends NodeBase {
  readonly kind: "bind";
  readonly name: string;
  readonly value: Node;
  readonly body: Node;
}

/** `target.optMap(name, body)`, or with `flat` `target.optFlatMap(name, body)`. */
export interface OptionalMapNode extends NodeBase {
  readonly kind: "optionalMap";
  readonly flat: boolean;
  readonly target: Node;
  readonly name: string;
  readonly body: Node;
}

export type Node =
  | ConstantNode
  | IdentNode
  | SelectNode
  | CallNode
  | ListNode
  | MapNode
  | MessageNode
  | LoopNode
  | BindNode
  | OptionalMapNode;

/** `a.b.c` as a dotted name, or null for anything that is more than names and plain selections. */
export function qualifiedName(node: Node): string | null {
  if (node.kind === "ident") return node.name;
  if (node.kind !== "select" || node.test || node.optional) return null;
  const prefix = qualifiedName(node.operand);
  return prefix === null ? null : `${prefix}.${node.field}`;
}
