import type { DescEnum, DescExtension, DescFile, DescMessage, DescService, Registry } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { descriptorIndex } from "#generated/descriptors.js";
import { nearestName } from "./nearest-name.ts";
import { protoFile, wellKnownFiles } from "./proto-file.ts";

type Type = DescMessage | DescEnum | DescExtension | DescService;

/** Every generated and well-known type by name. A type's descriptors are built when it is first asked for. */
class TypeRegistry implements Registry {
  readonly kind = "registry";
  readonly #wellKnown = new Map(
    wellKnownFiles.flatMap((file) => [...nestedTypes(file)].map((type) => [type.typeName, type])),
  );
  readonly #fileNames = new Map(descriptorIndex.flatMap(fileNameByType));
  readonly #types = new Map<string, Type>();

  get(typeName: string): Type | undefined {
    const wellKnown = this.#wellKnown.get(typeName);
    if (wellKnown !== undefined) return wellKnown;
    const known = this.#types.get(typeName);
    if (known !== undefined) return known;
    const fileName = this.#fileNames.get(typeName);
    if (fileName === undefined) return undefined;
    this.#add(protoFile(fileName));
    return this.#types.get(typeName);
  }

  getMessage(typeName: string): DescMessage | undefined {
    const type = this.get(typeName);
    return type?.kind === "message" ? type : undefined;
  }

  getEnum(typeName: string): DescEnum | undefined {
    const type = this.get(typeName);
    return type?.kind === "enum" ? type : undefined;
  }

  getExtension(typeName: string): DescExtension | undefined {
    const type = this.get(typeName);
    return type?.kind === "extension" ? type : undefined;
  }

  // Extensions occur only as options of descriptors, never in the messages that travel.
  getExtensionFor(): undefined {
    return undefined;
  }

  getService(typeName: string): DescService | undefined {
    const type = this.get(typeName);
    return type?.kind === "service" ? type : undefined;
  }

  *[Symbol.iterator](): IterableIterator<Type> {
    yield* this.#wellKnown.values();
    for (const [name] of descriptorIndex) yield* nestedTypes(protoFile(name));
  }

  /** The known type name closest to a misspelt one. Builds nothing. */
  nearest(typeName: string): string | undefined {
    return nearestName(typeName, this.#fileNames.keys());
  }

  #add(file: DescFile): void {
    for (const type of nestedTypes(file)) this.#types.set(type.typeName, type);
  }
}

function fileNameByType([fileName, packageName, types]: (typeof descriptorIndex)[number]): [string, string][] {
  return types === "" ? [] : types.split(" ").map((type) => [`${packageName}.${type}`, fileName]);
}

/** All types that this package knows. For a type behind an `Any`, prefer {@link unpackAny}, which explains failures. */
export const typeRegistry: Registry & { nearest(typeName: string): string | undefined } = new TypeRegistry();

/** `type.googleapis.com/a.b.C` to `a.b.C`. Any prefix will do, as long as it ends in a slash. */
export function typeNameOfUrl(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}

/** The URL that names a type in an `Any` and in xDS. */
export function typeUrlOf(schema: DescMessage): string {
  return `type.googleapis.com/${schema.typeName}`;
}
