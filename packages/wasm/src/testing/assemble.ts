import { BinaryWriter } from "../module/binary-writer.ts";
import { ENV_FUNCTIONS, WASI_FUNCTIONS } from "../module/host-functions.ts";
import { encodeBody, type Names } from "./encode-body.ts";
import { VALUE_TYPES } from "./opcodes.ts";
import { headOf, isString, type Node, parseExpression } from "./s-expression.ts";

interface FunctionDraft {
  readonly type: number;
  readonly locals: ReadonlyMap<string, number>;
  readonly localTypes: readonly number[];
  readonly body: readonly Node[];
}

const KIND = { func: 0, table: 1, memory: 2, global: 3 } as const;

/**
 * Assembles a module from a part of the text format that is enough for tests: functions, imports, exports, one memory,
 * one table, globals, data, elements, a start function, custom sections. `(use proxy_log …)` imports host functions by
 * name, each as `$proxy_log`.
 */
export function assemble(text: string): Uint8Array<ArrayBuffer> {
  return new Assembler(parseExpression(text) as Node[]).module();
}

class Assembler {
  readonly #fields: Node[][];
  readonly #types: string[] = [];
  readonly #typeBytes: number[][] = [];
  readonly #funcs = new Map<string, number>();
  readonly #globals = new Map<string, number>();
  readonly #functions: FunctionDraft[] = [];
  readonly #exports: [name: string, kind: number, index: number][] = [];
  #imported = 0;
  #globalCount = 0;

  constructor(module: Node[]) {
    this.#fields = module
      .slice(1)
      .flatMap((field) => (headOf(field) === "use" ? importsOf(field as string[]) : [field])) as Node[][];
  }

  module(): Uint8Array<ArrayBuffer> {
    const imports = this.#all("import");
    for (const field of imports) this.#takeImport(field);
    const functions = this.#all("func");
    for (const [at, field] of functions.entries()) if (isName(field[1])) this.#funcs.set(field[1], this.#imported + at);
    for (const field of this.#all("global")) {
      if (isName(field[1])) this.#globals.set(field[1], this.#globalCount);
      this.#globalCount++;
    }
    for (const [at, field] of functions.entries()) this.#takeFunction(field, this.#imported + at);
    this.#takeExports();
    const bodies = this.#functions.map((draft) => this.#body(draft));

    const out = new BinaryWriter();
    out.bytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    for (const field of this.#all("custom")) this.#custom(out, field);
    vector(out, 1, this.#typeBytes, (at, bytes) => at.bytes(Uint8Array.from(bytes)));
    vector(out, 2, imports, (at, field) => this.#import(at, field));
    vector(out, 3, this.#functions, (at, { type }) => at.u32(type));
    vector(out, 4, this.#all("table"), (at, field) => {
      at.byte(0x70);
      limits(at, numbersOf(field));
    });
    vector(out, 5, this.#all("memory"), (at, field) => limits(at, numbersOf(field)));
    vector(out, 6, this.#all("global"), (at, field) => this.#global(at, field));
    vector(out, 7, this.#exports, (at, [name, kind, index]) => {
      at.u32(name.length);
      at.bytes(Buffer.from(name, "latin1"));
      at.byte(kind);
      at.u32(index);
    });
    const [start] = this.#all("start");
    if (start !== undefined) section(out, 8, (at) => at.u32(this.#function(start[1])));
    vector(out, 9, this.#all("elem"), (at, field) => this.#elements(at, field));
    vector(out, 10, bodies, (at, body) => {
      at.u32(body.length);
      at.bytes(body);
    });
    vector(out, 11, this.#all("data"), (at, field) => this.#data(at, field));
    return new Uint8Array(out.view());
  }

  #all(head: string): Node[][] {
    return this.#fields.filter((field) => headOf(field) === head);
  }

  #function(node: Node | undefined): number {
    const index = this.#funcs.get(node as string);
    if (index === undefined) throw new Error(`unknown function ${String(node)}`);
    return index;
  }

  #typeOf(parts: readonly Node[]): number {
    const params = parts.filter((part) => headOf(part) === "param").flatMap(typesOf);
    const results = parts.filter((part) => headOf(part) === "result").flatMap(typesOf);
    const key = `${params.join()}:${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#typeBytes.push([0x60, params.length, ...params, results.length, ...results]);
    return this.#types.push(key) - 1;
  }

  #takeImport([, , , what]: Node[]): void {
    const [kind, name] = what as Node[];
    if (kind === "func") {
      this.#typeOf((what as Node[]).slice(1));
      if (isName(name)) this.#funcs.set(name, this.#imported);
      this.#imported++;
    } else if (kind === "global") this.#globalCount++;
  }

  #import(out: BinaryWriter, [, module, name, what]: Node[]): void {
    out.name((module as string).slice(1));
    out.name((name as string).slice(1));
    const [kind, ...rest] = what as Node[];
    out.byte(KIND[kind as keyof typeof KIND]);
    if (kind === "func") out.u32(this.#typeOf((what as Node[]).slice(1)));
    else if (kind === "global") {
      out.byte(VALUE_TYPES[rest.at(-1) as string] ?? 0);
      out.byte(0);
    } else {
      if (kind === "table") out.byte(0x70);
      limits(out, numbersOf(what as Node[]));
    }
  }

  #takeFunction(field: Node[], index: number): void {
    const locals = new Map<string, number>();
    const localTypes: number[] = [];
    const signature: Node[] = [];
    const body: Node[] = [];
    let count = 0;
    for (const part of field.slice(1)) {
      const head = headOf(part);
      if (head === "export") this.#exports.push([((part as string[])[1] ?? "").slice(1), KIND.func, index]);
      else if (head === "param" || head === "local") {
        const name = (part as Node[])[1];
        if (isName(name)) locals.set(name, count);
        const types = typesOf(part);
        count += types.length;
        if (head === "param") signature.push(part);
        else localTypes.push(...types);
      } else if (head === "result") signature.push(part);
      else if (!(isName(part) && body.length === 0)) body.push(part);
    }
    this.#functions.push({ type: this.#typeOf(signature), locals, localTypes, body });
  }

  #body(draft: FunctionDraft): Uint8Array {
    const out = new BinaryWriter();
    out.u32(draft.localTypes.length);
    for (const type of draft.localTypes) {
      out.u32(1);
      out.byte(type);
    }
    const names: Names = {
      ...{ func: this.#funcs, global: this.#globals, local: draft.locals },
      typeOf: (parts) => this.#typeOf(parts),
    };
    encodeBody(draft.body, names, out);
    out.byte(0x0b);
    return out.view().slice();
  }

  #takeExports(): void {
    for (const field of this.#fields) {
      const kind = headOf(field) as keyof typeof KIND;
      if (kind === "memory" || kind === "table") {
        for (const part of field)
          if (headOf(part) === "export") this.#exports.push([((part as string[])[1] ?? "").slice(1), KIND[kind], 0]);
      }
      if (headOf(field) !== "export") continue;
      const [, name, what] = field as [string, string, string[]];
      const target = what[1] ?? "";
      const index =
        what[0] === "func"
          ? this.#function(target)
          : Number(target.startsWith("$") ? this.#globals.get(target) : target);
      this.#exports.push([name.slice(1), KIND[what[0] as keyof typeof KIND], index]);
    }
  }

  #global(out: BinaryWriter, field: Node[]): void {
    const type = field.find(
      (part) => headOf(part) === "mut" || (typeof part === "string" && part in VALUE_TYPES),
    ) as Node;
    out.byte(VALUE_TYPES[(Array.isArray(type) ? type[1] : type) as string] ?? 0);
    out.byte(Array.isArray(type) ? 1 : 0);
    this.#constant(out, field.at(-1) as Node);
  }

  #constant(out: BinaryWriter, node: Node): void {
    encodeBody([node], { func: this.#funcs, global: this.#globals, local: new Map(), typeOf: () => 0 }, out);
    out.byte(0x0b);
  }

  #elements(out: BinaryWriter, [, offset, ...functions]: Node[]): void {
    out.byte(0);
    this.#constant(out, offset as Node);
    out.u32(functions.length);
    for (const name of functions) out.u32(this.#function(name));
  }

  #data(out: BinaryWriter, [, offset, ...texts]: Node[]): void {
    out.byte(0);
    this.#constant(out, offset as Node);
    const bytes = Buffer.from(texts.map((text) => (text as string).slice(1)).join(""), "latin1");
    out.u32(bytes.length);
    out.bytes(bytes);
  }

  #custom(out: BinaryWriter, [, name, content]: Node[]): void {
    section(out, 0, (at) => {
      at.name((name as string).slice(1));
      at.bytes(Buffer.from(isString(content) ? content.slice(1) : "", "latin1"));
    });
  }
}

function importsOf([, ...names]: string[]): Node[] {
  return names.map((name): Node => {
    const env = (ENV_FUNCTIONS as Record<string, string>)[name];
    const type = env ?? (WASI_FUNCTIONS as Record<string, string>)[name];
    if (type === undefined) throw new Error(`unknown host function ${name}`);
    const [params = "", results = ""] = type.split(":");
    const words = (letters: string) => [...letters].map((letter) => (letter === "I" ? "i64" : "i32"));
    const module = env === undefined ? "wasi_snapshot_preview1" : "env";
    const signature = [["param", ...words(params)], ...(results.length > 0 ? [["result", ...words(results)]] : [])];
    return ["import", `"${module}`, `"${name}`, ["func", `$${name}`, ...signature]];
  });
}

function isName(node: Node | undefined): node is string {
  return typeof node === "string" && node.startsWith("$");
}

function typesOf(node: Node): number[] {
  return (node as string[])
    .slice(1)
    .filter((word) => word in VALUE_TYPES)
    .map((word) => VALUE_TYPES[word] as number);
}

function numbersOf(field: Node[]): number[] {
  return field.filter((part) => typeof part === "string" && /^\d+$/.test(part)).map(Number);
}

function limits(out: BinaryWriter, [initial = 0, maximum]: number[]): void {
  out.byte(maximum === undefined ? 0 : 1);
  out.u32(initial);
  if (maximum !== undefined) out.u32(maximum);
}

function section(out: BinaryWriter, id: number, write: (content: BinaryWriter) => void): void {
  const content = new BinaryWriter();
  write(content);
  out.section(id, content);
}

function vector<T>(
  out: BinaryWriter,
  id: number,
  items: readonly T[],
  write: (content: BinaryWriter, item: T) => void,
): void {
  if (items.length === 0) return;
  section(out, id, (content) => {
    content.u32(items.length);
    for (const item of items) write(content, item);
  });
}
