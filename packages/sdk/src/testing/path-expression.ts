import { ExpressionHandle, type StreamHandle } from "../native/handles.ts";
import { Property } from "../native/names.ts";
import { parseAttributePath } from "../portable/attribute-path.ts";

class PathExpression extends ExpressionHandle {
  readonly #property: Property;

  constructor(path: string[]) {
    super();
    this.#property = new Property(path);
  }

  evaluate(stream: StreamHandle): string | null {
    return stream.getString(this.#property);
  }
}

/** An expression that only reads one attribute, which is all the CEL that fakes have; null if `text` is more than that. */
export function createPathExpression(text: string): ExpressionHandle | null {
  const path = parseAttributePath(text);
  return path === null ? null : new PathExpression(path);
}
