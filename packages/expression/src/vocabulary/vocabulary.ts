import { type Environment, NO_TYPES, type TypeProvider, type VariableTable } from "../check/environment.ts";
import { FunctionTable } from "../library/function-table.ts";
import { standardLibrary } from "../library/standard.ts";
import { stringsLibrary } from "../library/strings.ts";
import { DYN, type Type } from "../types/type.ts";
import { parseType } from "../types/type-text.ts";
import { type Fields, OBJECTS, OPEN_OBJECTS } from "./objects.ts";

/** The names that expressions begin with, and their types. */
export const ATTRIBUTES: Fields = {
  request: "request",
  response: "response",
  source: "source",
  destination: "destination",
  connection: "connection",
  upstream: "upstream",
  xds: "xds",
  metadata: "metadata",
  filter_state: "filter_state",
  upstream_filter_state: "filter_state",
  plugin_name: "string",
  plugin_root_id: "string",
  plugin_vm_id: "string",
};

/** Names of releases before 1.24, still in wide use [telemetry §3.2]. */
export const LEGACY_ATTRIBUTES: Fields = {
  node: "node",
  cluster_name: "string",
  cluster_metadata: "metadata",
  route_name: "string",
  route_metadata: "metadata",
  upstream_host_metadata: "metadata",
  listener_direction: "int",
  listener_metadata: "metadata",
  connection_id: "uint",
  upstream_peer: "wasm_peer",
  downstream_peer: "wasm_peer",
};

/** What attribute generation leaves behind, by the names of its own configuration: `istio_responseClass`. */
const GENERATED = /^istio_\w+$/;

function typesOf(fields: Fields): Map<string, Type> {
  return new Map(Object.entries(fields).map(([name, text]) => [name, parseType(text)]));
}

class AttributeVariables implements VariableTable {
  readonly #types = typesOf({ ...ATTRIBUTES, ...LEGACY_ATTRIBUTES });
  readonly #open: boolean;

  constructor(open: boolean) {
    this.#open = open;
  }

  get(name: string): Type | undefined {
    return this.#types.get(name) ?? (GENERATED.test(name) ? DYN : undefined);
  }

  names(): Iterable<string> {
    return this.#types.keys();
  }

  undeclared(): Type | undefined {
    return this.#open ? DYN : undefined;
  }
}

class AttributeTypes implements TypeProvider {
  readonly #closed = new Map(Object.entries(OBJECTS).map(([name, fields]) => [name, typesOf(fields)]));
  readonly #open = new Map(Object.entries(OPEN_OBJECTS).map(([name, fields]) => [name, typesOf(fields)]));

  findType = NO_TYPES.findType;
  findConstant = NO_TYPES.findConstant;
  create = NO_TYPES.create;

  findField(typeName: string, field: string): Type | undefined {
    const open = this.#open.get(typeName);
    return open === undefined ? this.#closed.get(typeName)?.get(field) : (open.get(field) ?? DYN);
  }

  fieldNames(typeName: string): readonly string[] {
    return [...(this.#closed.get(typeName)?.keys() ?? [])];
  }

  isIndexable(): boolean {
    return true;
  }
}

/** The type of what stands at a path; `dyn` where only the value tells. */
export function attributeType({ variables, types }: Environment, path: readonly string[]): Type {
  const [name = "", ...rest] = path;
  return rest.reduce((type, field) => fieldType(types, type, field), variables.get(name) ?? DYN);
}

function fieldType(types: TypeProvider, type: Type, field: string): Type {
  if (type.kind === "map") return type.value;
  return type.kind === "message" ? (types.findField(type.name, field) ?? DYN) : DYN;
}

/**
 * The attributes of requests and connections, with the functions of the language and those on texts.
 *
 * @param open Names that are not declared are what filters left for each other under that name, and fail where there is
 * nothing: the way data planes take expressions. Otherwise they are unknown attributes.
 */
export function attributeEnvironment(open: boolean): Environment {
  return {
    variables: new AttributeVariables(open),
    functions: new FunctionTable([standardLibrary(), stringsLibrary()]),
    types: new AttributeTypes(),
    container: "",
  };
}
