import type { BindNode, LoopNode, OptionalMapNode } from "../syntax/ast.ts";
import { BOOL, DYN, INT, listOf, mapOf, optionalContent, optionalOf, type Type } from "../types/type.ts";
import type { Checker } from "./checker.ts";
import type { Note } from "./note.ts";

/** What a loop runs over. */
interface Range {
  readonly key: Type;
  readonly value: Type;
  readonly isMap: boolean;
}

export function checkLoop(checker: Checker, node: LoopNode, note: Note): Type {
  const range = rangeOf(checker, node);
  // With one variable a loop over a map runs over its keys.
  const single = range.isMap ? range.key : range.value;
  const variable = checker.scope.push(node.variable, node.key === null ? single : range.value);
  const key = node.key === null ? -1 : checker.scope.push(node.key, range.key);
  note.slots = [variable, key];
  if (node.filter !== null) checker.expect(node.filter, BOOL, "the filter");
  const type = resultOf(checker, node, range, single);
  checker.scope.pop(node.key === null ? 1 : 2);
  return type;
}

function rangeOf(checker: Checker, { range, loop }: LoopNode): Range {
  const type = checker.substitution.apply(checker.check(range));
  switch (type.kind) {
    case "list":
      return { key: INT, value: type.element, isMap: false };
    case "map":
      return { key: type.key, value: type.value, isMap: true };
    case "dyn":
    case "param":
      return { key: DYN, value: DYN, isMap: false };
    default:
      checker.fault(range.offset, `${loop}() needs a list or a map, not ${checker.text(type)}`);
      return { key: DYN, value: DYN, isMap: false };
  }
}

function resultOf(checker: Checker, { loop, body }: LoopNode, range: Range, single: Type): Type {
  switch (loop) {
    case "all":
    case "exists":
    case "existsOne":
      checker.expect(body, BOOL, `the condition of ${loop}()`);
      return BOOL;
    case "filter":
      checker.expect(body, BOOL, "the condition of filter()");
      return listOf(single);
    case "map":
    case "transformList":
      return listOf(checker.check(body));
    case "transformMap":
      return mapOf(range.key, checker.check(body));
    case "transformMapEntry": {
      const type = checker.substitution.apply(checker.check(body));
      if (type.kind === "map") return type;
      if (type.kind !== "dyn") checker.fault(body.offset, `the result must be a map, not ${checker.text(type)}`);
      return mapOf(DYN, DYN);
    }
  }
}

export function checkBind(checker: Checker, node: BindNode, note: Note): Type {
  const slot = checker.scope.push(node.name, checker.check(node.value));
  note.slots = [slot, -1];
  const type = checker.check(node.body);
  checker.scope.pop(1);
  return type;
}

export function checkOptionalMap(checker: Checker, node: OptionalMapNode, note: Note): Type {
  const target = checker.substitution.apply(checker.check(node.target));
  const content = target.kind === "dyn" ? DYN : optionalContent(target);
  if (content === null) checker.fault(node.target.offset, `an optional value is needed, not ${checker.text(target)}`);
  const slot = checker.scope.push(node.name, content ?? DYN);
  note.slots = [slot, -1];
  const body = checker.check(node.body);
  checker.scope.pop(1);
  return node.flat ? body : optionalOf(body);
}
