import type { BindNode, LoopKind, LoopNode, OptionalMapNode } from "../syntax/ast.ts";
import { Abnormal, Failure, merge, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { LiteralMap, MapValue, NONE, OptionalValue, type Result, type Value } from "../values/value.ts";
import { badKey } from "./collections.ts";
import type { Compiler } from "./compiler.ts";
import { type Code, type Frame, type Run, varying } from "./frame.ts";

/** Gathers what a loop's body gives. */
interface Gatherer {
  /** Not undefined: the loop ends with this. */
  take(value: Result, key: Value, element: Value, frame: Frame): Result | undefined;
  end(): Result;
}

export function compileLoop(compiler: Compiler, node: LoopNode): Code {
  const range = compiler.compile(node.range).run;
  const filter = node.filter === null ? null : compiler.compile(node.filter).run;
  const body = compiler.compile(node.body).run;
  const [variable, key] = compiler.note(node).slots ?? [0, -1];
  const gather = gathererOf(node.loop);
  return varying((frame) => {
    const over = range(frame);
    if (over instanceof Abnormal) return over;
    const isMap = over instanceof MapValue;
    if (!isMap && !Array.isArray(over)) return NO_SUCH_OVERLOAD;
    const gatherer = gather();
    let at = 0;
    for (const element of isMap ? over.keys() : over) {
      frame.spend(1);
      const value = isMap && key >= 0 ? (over.get(element) as Value) : element;
      const index = isMap ? element : at++;
      frame.locals[variable] = value;
      if (key >= 0) frame.locals[key] = index;
      const result = step(frame, filter, body, gatherer, index, value);
      if (result !== undefined) return result;
    }
    return gatherer.end();
  });
}

function step(
  frame: Frame,
  filter: Run | null,
  body: Run,
  gatherer: Gatherer,
  index: Value,
  element: Value,
): Result | undefined {
  if (filter !== null) {
    const keep = filter(frame);
    if (keep === false) return undefined;
    if (keep !== true) return keep instanceof Abnormal ? keep : NO_SUCH_OVERLOAD;
  }
  return gatherer.take(body(frame), index, element, frame);
}

function gathererOf(loop: LoopKind): () => Gatherer {
  switch (loop) {
    case "all":
      return () => new Quantifier(false);
    case "exists":
      return () => new Quantifier(true);
    case "existsOne":
      return () => new Counter();
    case "filter":
      return () => new Filter();
    case "map":
    case "transformList":
      return () => new Collector();
    case "transformMap":
      return () => new Transformer(false);
    case "transformMapEntry":
      return () => new Transformer(true);
  }
}

/** `all` and `exists`: as `&&` and `||` over the elements, so one that decides outweighs those without a value. */
class Quantifier implements Gatherer {
  readonly #decisive: boolean;
  #abnormal: Abnormal | null = null;

  constructor(decisive: boolean) {
    this.#decisive = decisive;
  }

  take(value: Result): Result | undefined {
    if (value === this.#decisive) return value;
    if (typeof value === "boolean") return undefined;
    const abnormal = value instanceof Abnormal ? value : NO_SUCH_OVERLOAD;
    this.#abnormal = this.#abnormal === null ? abnormal : merge(this.#abnormal, abnormal);
    return undefined;
  }

  end(): Result {
    return this.#abnormal ?? !this.#decisive;
  }
}

class Counter implements Gatherer {
  #count = 0;

  take(value: Result): Result | undefined {
    if (value === true) this.#count++;
    else if (value !== false) return value instanceof Abnormal ? value : NO_SUCH_OVERLOAD;
    return undefined;
  }

  end(): Result {
    return this.#count === 1;
  }
}

class Filter implements Gatherer {
  readonly #kept: Value[] = [];

  take(value: Result, _key: Value, element: Value): Result | undefined {
    if (value === true) this.#kept.push(element);
    else if (value !== false) return value instanceof Abnormal ? value : NO_SUCH_OVERLOAD;
    return undefined;
  }

  end(): Result {
    return this.#kept;
  }
}

class Collector implements Gatherer {
  readonly #list: Value[] = [];

  take(value: Result): Result | undefined {
    if (value instanceof Abnormal) return value;
    this.#list.push(value);
    return undefined;
  }

  end(): Result {
    return this.#list;
  }
}

class Transformer implements Gatherer {
  readonly #map = new LiteralMap();
  /** The body gives whole entries. */
  readonly #entries: boolean;

  constructor(entries: boolean) {
    this.#entries = entries;
  }

  take(value: Result, key: Value, _element: Value, frame: Frame): Result | undefined {
    if (value instanceof Abnormal) return value;
    if (!this.#entries) return this.#map.add(key, value) ? undefined : badKey(this.#map, key);
    if (!(value instanceof MapValue)) return NO_SUCH_OVERLOAD;
    frame.spend(value.size);
    for (const one of value.keys()) {
      const found = value.get(one);
      if (found instanceof Abnormal) return found;
      if (found !== undefined && !this.#map.add(one, found)) return badKey(this.#map, one);
    }
    return undefined;
  }

  end(): Result {
    return this.#map;
  }
}

/** The value may fail without harm where the body does not need it. */
export function compileBind(compiler: Compiler, node: BindNode): Code {
  const value = compiler.compile(node.value).run;
  const body = compiler.compile(node.body).run;
  const [slot] = compiler.note(node).slots ?? [0];
  return varying((frame) => {
    frame.spend(1);
    frame.locals[slot] = value(frame);
    return body(frame);
  });
}

export function compileOptionalMap(compiler: Compiler, node: OptionalMapNode): Code {
  const target = compiler.compile(node.target).run;
  const body = compiler.compile(node.body).run;
  const [slot] = compiler.note(node).slots ?? [0];
  return varying((frame) => {
    const optional = target(frame);
    if (optional instanceof Abnormal) return optional;
    if (!(optional instanceof OptionalValue)) return NO_SUCH_OVERLOAD;
    if (optional.value === undefined) return NONE;
    frame.locals[slot] = optional.value;
    const result = body(frame);
    if (result instanceof Abnormal) return result;
    if (!node.flat) return new OptionalValue(result);
    return result instanceof OptionalValue ? result : new Failure("optFlatMap() must give an optional value");
  });
}
