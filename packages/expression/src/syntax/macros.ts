import { type LoopKind, type Node, qualifiedName } from "./ast.ts";
import { SyntaxFault } from "./fault.ts";
import type { NodeFactory } from "./node-factory.ts";

type Expansion = (make: NodeFactory, target: Node | null, args: readonly Node[], offset: number) => Node | null;

const ONE_VARIABLE: Readonly<Record<string, LoopKind>> = {
  all: "all",
  exists: "exists",
  exists_one: "existsOne",
  existsOne: "existsOne",
  filter: "filter",
};
const TWO_VARIABLES: Readonly<Record<string, LoopKind>> = {
  all: "all",
  exists: "exists",
  exists_one: "existsOne",
  existsOne: "existsOne",
};
const TRANSFORMS: Readonly<Record<string, LoopKind>> = {
  transformList: "transformList",
  transformMap: "transformMap",
  transformMapEntry: "transformMapEntry",
};

const RECEIVER_MACROS: Readonly<Record<string, Expansion>> = {
  map: (make, target, args, offset) => {
    const [variable, first, second] = args;
    if (target === null || variable === undefined || first === undefined || args.length > 3) return null;
    const filter = second === undefined ? null : first;
    return loop(make, "map", target, null, variableName("map", variable), filter, second ?? first, offset);
  },
  optMap: (make, target, args, offset) => optionalMap(make, false, target, args, offset),
  optFlatMap: (make, target, args, offset) => optionalMap(make, true, target, args, offset),
};

/** Gives the node that a macro stands for; null where the call is none. */
export function expandMacro(
  make: NodeFactory,
  name: string,
  target: Node | null,
  args: readonly Node[],
  offset: number,
): Node | null {
  if (target === null) return name === "has" || name === ".has" ? has(make, args, offset) : null;
  if (target.kind === "ident" && target.name === "cel") return celMacro(make, name, args, offset);
  if (target.kind === "ident" && target.name === "proto") return extensionMacro(make, name, args, offset);
  if (Object.hasOwn(RECEIVER_MACROS, name)) return RECEIVER_MACROS[name]?.(make, target, args, offset) ?? null;
  const [one, two, three, four] = args;
  if (args.length === 2 && Object.hasOwn(ONE_VARIABLE, name) && one !== undefined && two !== undefined)
    return loop(make, ONE_VARIABLE[name] as LoopKind, target, null, variableName(name, one), null, two, offset);
  if (one === undefined || two === undefined || three === undefined) return null;
  const kind = args.length === 3 && Object.hasOwn(TWO_VARIABLES, name) ? TWO_VARIABLES[name] : TRANSFORMS[name];
  if (kind === undefined || !(Object.hasOwn(TWO_VARIABLES, name) || Object.hasOwn(TRANSFORMS, name))) return null;
  if (args.length > 4) return null;
  const key = variableName(name, one);
  const value = variableName(name, two);
  if (key === value) throw new SyntaxFault(two.offset, `${name}() needs two different names`);
  return loop(make, kind, target, key, value, four === undefined ? null : three, four ?? three, offset);
}

function loop(
  make: NodeFactory,
  kind: LoopKind,
  range: Node,
  key: string | null,
  variable: string,
  filter: Node | null,
  body: Node,
  offset: number,
): Node {
  const children = filter === null ? [range, body] : [range, filter, body];
  return make.make({ kind: "loop", loop: kind, range, key, variable, filter, body, offset }, children);
}

function variableName(macro: string, node: Node): string {
  if (node.kind === "ident" && !node.name.startsWith(".")) return node.name;
  throw new SyntaxFault(node.offset, `the first argument of ${macro}() names its variable: it must be a plain name`);
}

const NOT_ONE_FIELD =
  "has() asks for one field, e.g. has(request.headers.host); for other names write 'x-name' in request.headers";

function has(make: NodeFactory, args: readonly Node[], offset: number): Node {
  const [field] = args;
  if (args.length !== 1 || field?.kind !== "select" || field.test) throw new SyntaxFault(offset, NOT_ONE_FIELD);
  return make.make({ ...field, test: true, optional: false }, [field.operand]);
}

function optionalMap(
  make: NodeFactory,
  flat: boolean,
  target: Node | null,
  args: readonly Node[],
  offset: number,
): Node | null {
  const [variable, body] = args;
  if (target === null || variable === undefined || body === undefined || args.length !== 2) return null;
  const name = variableName(flat ? "optFlatMap" : "optMap", variable);
  return make.make({ kind: "optionalMap", flat, target, name, body, offset }, [target, body]);
}

/** `cel.bind`, and what the conformance suite uses to write optimised expressions down. */
function celMacro(make: NodeFactory, name: string, args: readonly Node[], offset: number): Node | null {
  const [first, second, third] = args;
  switch (name) {
    case "bind":
      if (first === undefined || second === undefined || third === undefined || args.length !== 3) return null;
      return bind(make, variableName("cel.bind", first), second, third, offset);
    case "block":
      return first?.kind === "list" && second !== undefined && args.length === 2 ? block(make, first, second) : null;
    case "index":
      return make.ident(`@index${numbers(args, offset)}`, offset);
    case "iterVar":
      return make.ident(`@it:${numbers(args, offset)}`, offset);
    default:
      return null;
  }
}

/** `proto.getExt(message, name.of.the.extension)`: a field with a long name. */
function extensionMacro(make: NodeFactory, name: string, args: readonly Node[], offset: number): Node | null {
  const [operand, extension] = args;
  if (operand === undefined || extension === undefined || args.length !== 2) return null;
  const field = qualifiedName(extension);
  if (field === null || (name !== "getExt" && name !== "hasExt")) return null;
  const test = name === "hasExt";
  return make.make({ kind: "select", operand, field, test, optional: false, offset }, [operand]);
}

function bind(make: NodeFactory, name: string, value: Node, body: Node, offset: number): Node {
  return make.make({ kind: "bind", name, value, body, offset }, [value, body]);
}

function block(make: NodeFactory, list: Node & { readonly kind: "list" }, body: Node): Node {
  return list.elements.reduceRight((rest, { value }, i) => bind(make, `@index${i}`, value, rest, value.offset), body);
}

function numbers(args: readonly Node[], offset: number): string {
  return args
    .map((arg) => {
      if (arg.kind === "constant" && typeof arg.value === "number" && arg.value >= 0) return String(arg.value);
      throw new SyntaxFault(offset, "the argument must be a number that is not negative");
    })
    .join(":");
}
