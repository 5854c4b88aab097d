import type { ListNode, MapNode, MessageNode } from "../syntax/ast.ts";
import { Abnormal, Failure, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { LiteralMap, OptionalValue, type Result, type Value } from "../values/value.ts";
import type { Compiler } from "./compiler.ts";
import type { Code, Frame } from "./frame.ts";

interface Part {
  readonly code: Code;
  readonly optional: boolean;
}

/** The value, undefined for an optional that is empty, or why there is none. */
function partOf({ code, optional }: Part, frame: Frame): Result | undefined {
  const value = code.run(frame);
  if (!optional || value instanceof Abnormal) return value;
  return value instanceof OptionalValue ? value.value : NO_SUCH_OVERLOAD;
}

export function compileList(compiler: Compiler, { elements }: ListNode): Code {
  const parts = elements.map(({ value, optional }): Part => ({ code: compiler.compile(value), optional }));
  return compiler.fold(
    (frame) => {
      const list: Value[] = [];
      frame.spend(parts.length);
      for (const part of parts) {
        const value = partOf(part, frame);
        if (value instanceof Abnormal) return value;
        if (value !== undefined) list.push(value);
      }
      return list;
    },
    parts.map(({ code }) => code),
  );
}

export function compileMap(compiler: Compiler, { entries }: MapNode): Code {
  const parts = entries.map(({ key, value, optional }) => ({
    key: compiler.compile(key),
    value: { code: compiler.compile(value), optional } satisfies Part,
  }));
  return compiler.fold(
    (frame) => {
      const map = new LiteralMap();
      frame.spend(parts.length);
      for (const part of parts) {
        const key = part.key.run(frame);
        if (key instanceof Abnormal) return key;
        const value = partOf(part.value, frame);
        if (value instanceof Abnormal) return value;
        if (value !== undefined && !map.add(key, value)) return badKey(map, key);
      }
      return map;
    },
    parts.flatMap(({ key, value }) => [key, value.code]),
  );
}

export function badKey(map: LiteralMap, key: Value): Failure {
  if (map.get(key) === undefined) return new Failure("unsupported key type: keys are bool, int, uint or string");
  return new Failure(`repeated key: ${String(key)}`);
}

export function compileMessage(compiler: Compiler, node: MessageNode): Code {
  const typeName = compiler.note(node).typeName ?? node.name;
  const { types } = compiler.environment;
  const parts = node.fields.map(({ name, value, optional }) => ({
    name,
    part: { code: compiler.compile(value), optional } satisfies Part,
  }));
  return compiler.fold(
    (frame) => {
      const fields = new Map<string, Value>();
      frame.spend(parts.length);
      for (const { name, part } of parts) {
        const value = partOf(part, frame);
        if (value instanceof Abnormal) return value;
        if (value !== undefined) fields.set(name, value);
      }
      return types.create(typeName, fields);
    },
    parts.map(({ part }) => part.code),
  );
}
