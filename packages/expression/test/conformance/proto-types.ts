import { create, type DescField, type DescMessage, type Registry, ScalarType } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { TypeProvider } from "../../src/check/environment.ts";
import { DYN, INT, listOf, mapOf, messageType, type Type, wrapperOf } from "../../src/types/type.ts";
import { Abnormal } from "../../src/values/abnormal.ts";
import type { Result, Value } from "../../src/values/value.ts";
import { setField } from "./proto-assign.ts";
import { isWrapper, messageValue } from "./proto-values.ts";

const SCALARS: Readonly<Partial<Record<ScalarType, Type["kind"]>>> = {
  [ScalarType.BOOL]: "bool",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
  [ScalarType.FLOAT]: "double",
  [ScalarType.DOUBLE]: "double",
  [ScalarType.UINT32]: "uint",
  [ScalarType.UINT64]: "uint",
  [ScalarType.FIXED32]: "uint",
  [ScalarType.FIXED64]: "uint",
};

const WELL_KNOWN: Readonly<Record<string, Type>> = {
  "google.protobuf.Any": DYN,
  "google.protobuf.Value": DYN,
  "google.protobuf.ListValue": listOf(DYN),
  "google.protobuf.Struct": mapOf({ kind: "string" }, DYN),
  "google.protobuf.Timestamp": { kind: "timestamp" },
  "google.protobuf.Duration": { kind: "duration" },
};

/** The messages of a registry as types of the language. */
export class ProtoTypes implements TypeProvider {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  findType(name: string): Type | undefined {
    const desc = this.#registry.getMessage(name);
    return desc === undefined ? undefined : this.#messageType(desc);
  }

  findField(typeName: string, name: string): Type | undefined {
    const extension = this.#registry.getExtension(name);
    if (extension !== undefined && extension.extendee.typeName === typeName) return this.#fieldType(extension);
    const field = this.#registry.getMessage(typeName)?.fields.find((one) => one.name === name);
    return field === undefined ? undefined : this.#fieldType(field);
  }

  fieldNames(typeName: string): readonly string[] {
    return this.#registry.getMessage(typeName)?.fields.map(({ name }) => name) ?? [];
  }

  findConstant(name: string): { readonly type: Type; readonly value: Value } | undefined {
    const dot = name.lastIndexOf(".");
    const found = this.#registry
      .getEnum(name.slice(0, Math.max(0, dot)))
      ?.values.find((one) => one.name === name.slice(dot + 1));
    return found === undefined ? undefined : { type: INT, value: found.number };
  }

  create(typeName: string, fields: ReadonlyMap<string, Value>): Result {
    const desc = this.#registry.getMessage(typeName);
    if (desc === undefined) throw new Error(`no message ${typeName}`);
    const message = reflect(desc, create(desc));
    for (const [name, value] of fields) {
      const field = desc.fields.find((one) => one.name === name);
      if (field === undefined) throw new Error(`no field ${name}`);
      const failure = setField(message, field, value, this.#registry);
      if (failure instanceof Abnormal) return failure;
    }
    return messageValue(message, this.#registry);
  }

  isIndexable(): boolean {
    return false;
  }

  #messageType(desc: DescMessage): Type {
    if (isWrapper(desc))
      return wrapperOf(this.#scalarType((desc.fields[0] as DescField & { scalar: ScalarType }).scalar));
    return WELL_KNOWN[desc.typeName] ?? messageType(desc.typeName);
  }

  #scalarType(scalar: ScalarType): Type {
    return { kind: (SCALARS[scalar] ?? "int") as "int" };
  }

  #fieldType(field: DescField | NonNullable<ReturnType<Registry["getExtension"]>>): Type {
    const single = (kind: "scalar" | "enum" | "message"): Type => {
      if (kind === "message") return this.#messageType(field.message as DescMessage);
      return kind === "enum" ? INT : this.#scalarType(field.scalar as ScalarType);
    };
    if (field.fieldKind === "list") return listOf(single(field.listKind));
    if (field.fieldKind === "map") return mapOf(this.#scalarType(field.mapKey), single(field.mapKind));
    return single(field.fieldKind);
  }
}
