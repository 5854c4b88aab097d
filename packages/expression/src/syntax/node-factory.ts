import type { CallNode, ConstantNode, IdentNode, Node, SelectNode } from "./ast.ts";
import { SyntaxFault } from "./fault.ts";
import type { ExpressionLimits } from "./limits.ts";

type Draft<T> = T extends Node ? Omit<T, "depth"> : never;

/** Makes nodes and keeps within the limits. */
export class NodeFactory {
  readonly #limits: ExpressionLimits;
  #count = 0;

  constructor(limits: ExpressionLimits) {
    this.#limits = limits;
  }

  /** `children` are the nodes below. Throws {@link SyntaxFault}. */
  make<T extends Draft<Node>>(draft: T, children: readonly Node[]): T & { readonly depth: number } {
    this.#count++;
    if (this.#count > this.#limits.nodes)
      throw new SyntaxFault(draft.offset, `the expression has more than ${this.#limits.nodes} parts; split it`);
    let below = 0;
    for (const child of children) below = Math.max(below, child.depth);
    if (below >= this.#limits.depth) throw this.tooDeep(draft.offset);
    return { ...draft, depth: below + 1 };
  }

  tooDeep(offset: number): SyntaxFault {
    return new SyntaxFault(offset, `the expression is nested more than ${this.#limits.depth} levels deep; split it`);
  }

  call(name: string, args: readonly Node[], offset: number, target: Node | null = null): CallNode {
    return this.make({ kind: "call", name, target, args, offset }, target === null ? args : [target, ...args]);
  }

  constant(value: ConstantNode["value"], offset: number): ConstantNode {
    return this.make({ kind: "constant", value, offset }, []);
  }

  ident(name: string, offset: number): IdentNode {
    return this.make({ kind: "ident", name, offset }, []);
  }

  select(operand: Node, field: string, optional: boolean, offset: number): SelectNode {
    return this.make({ kind: "select", operand, field, test: false, optional, offset }, [operand]);
  }
}
