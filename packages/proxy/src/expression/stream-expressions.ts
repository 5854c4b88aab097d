import type { Result } from "@mixerless/expression";
import type { AttributeScope, AttributeSource, NodeFacts } from "../extension-host/attributes/attribute.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import type { Expressions } from "./expressions.ts";

/** What an expression gives for a stream. */
export type StreamExpression = (info: StreamInfo) => Result;

export type CompiledStreamExpression =
  | { readonly evaluate: StreamExpression; readonly problem?: undefined }
  | { readonly evaluate?: undefined; readonly problem: string };

/** A stream where no extension looks at it. */
class StreamAttributes implements AttributeSource {
  readonly scope: AttributeScope;
  #info: StreamInfo | null = null;

  constructor(scope: AttributeScope) {
    this.scope = scope;
  }

  get info(): StreamInfo | null {
    return this.#info;
  }

  get listener(): ListenerFacts {
    if (this.#info === null) throw new Error("there is no stream");
    return this.#info.listener;
  }

  look(info: StreamInfo | null): void {
    this.#info = info;
  }
}

/** Compiles expressions that are evaluated for streams by themselves: for access logs. */
export class StreamExpressions {
  readonly #expressions: Expressions;
  readonly #scope: AttributeScope;

  constructor(expressions: Expressions, node: NodeFacts) {
    this.#expressions = expressions;
    this.#scope = { node, pluginName: "", messageSizes: false };
  }

  compile(text: string, use: string): CompiledStreamExpression {
    const { evaluate, problem } = this.#expressions.compile(text, use);
    if (problem !== undefined) return { problem };
    const source = new StreamAttributes(this.#scope);
    return {
      evaluate: (info) => {
        source.look(info);
        const result = evaluate(source);
        source.look(null);
        return result;
      },
    };
  }
}
