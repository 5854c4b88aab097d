import type { Environment } from "../check/environment.ts";
import type { Checked, Note } from "../check/note.ts";
import type { Node } from "../syntax/ast.ts";
import { Abnormal, Failure } from "../values/abnormal.ts";
import { BudgetExceeded } from "../values/work.ts";
import type { AttributeSource } from "./attribute-source.ts";
import { compileCall } from "./calls.ts";
import { compileList, compileMap, compileMessage } from "./collections.ts";
import { type Code, constant, Frame, type Run, varying } from "./frame.ts";
import { compileBind, compileLoop, compileOptionalMap } from "./loops.ts";
import { compilePath } from "./paths.ts";
import { compileSelect } from "./select.ts";

/** What constants may cost to be computed once. */
const FOLDING_BUDGET = 1000;

/** Turns a checked expression into closures. */
export class Compiler {
  readonly environment: Environment;
  readonly attributes: AttributeSource<never>;
  readonly #notes: ReadonlyMap<Node, Note>;

  constructor({ notes }: Checked, environment: Environment, attributes: AttributeSource<never>) {
    this.environment = environment;
    this.attributes = attributes;
    this.#notes = notes;
  }

  note(node: Node): Note {
    const note = this.#notes.get(node);
    if (note === undefined) throw new Error("the node was not checked");
    return note;
  }

  /** The checker's type of a node. */
  kind(node: Node): Note["type"]["kind"] {
    return this.note(node).type.kind;
  }

  compile(node: Node): Code {
    const path = compilePath(this, node);
    if (path !== null) return path;
    switch (node.kind) {
      case "constant":
        return constant(node.value);
      case "ident":
        return this.#name(node);
      case "select":
        return this.note(node).reference === undefined ? compileSelect(this, node) : this.#name(node);
      case "call":
        return compileCall(this, node);
      case "list":
        return compileList(this, node);
      case "map":
        return compileMap(this, node);
      case "message":
        return compileMessage(this, node);
      case "loop":
        return compileLoop(this, node);
      case "bind":
        return compileBind(this, node);
      case "optionalMap":
        return compileOptionalMap(this, node);
    }
  }

  #name(node: Node): Code {
    const { reference } = this.note(node);
    switch (reference?.kind) {
      case "constant":
        return constant(reference.value);
      case "local": {
        const { slot } = reference;
        return varying((frame) => frame.locals[slot] as ReturnType<Run>);
      }
      case "undeclared": {
        const failure = new Failure(`no such attribute: ${reference.name}`);
        return varying(() => failure);
      }
      default:
        throw new Error("the name was not checked");
    }
  }

  /** Code of parts that are all constant is run once, here, unless it fails or costs too much. */
  fold(run: Run, parts: readonly Code[]): Code {
    if (parts.some(({ constant }) => constant === undefined)) return varying(run);
    const frame = new Frame(0);
    frame.start(null, FOLDING_BUDGET);
    try {
      const value = run(frame);
      return value instanceof Abnormal ? varying(run) : constant(value);
    } catch (error) {
      if (error instanceof BudgetExceeded) return varying(run);
      throw error;
    }
  }
}
