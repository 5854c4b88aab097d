import { gunzipSync } from "node:zlib";
import { createFileRegistry, type DescFile, fromBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { descriptorIndex, gzippedDescriptors } from "#generated/descriptors.js";

/** The well-known types in use; the library brings them built. */
export const wellKnownFiles: readonly DescFile[] = [
  file_google_protobuf_any,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

/** Builds the descriptors of .proto files on demand, each file once, with the files that it imports. */
class ProtoFiles {
  readonly #bytes = gunzipSync(Buffer.from(gzippedDescriptors, "base64"));
  readonly #places = new Map(descriptorIndex.map(([name, , , offset, length]) => [name, { offset, length }]));
  readonly #built = new Map(wellKnownFiles.map((file) => [file.proto.name, file]));

  get(name: string): DescFile {
    const built = this.#built.get(name);
    if (built !== undefined) return built;
    const file = this.#build(name);
    this.#built.set(name, file);
    return file;
  }

  #build(name: string): DescFile {
    const place = this.#places.get(name);
    if (place === undefined) throw new Error(`${name} is not among the generated descriptors: run tools/protogen`);
    const bytes = this.#bytes.subarray(place.offset, place.offset + place.length);
    const proto = fromBinary(FileDescriptorProtoSchema, bytes);
    const registry = createFileRegistry(proto, (dependency) => visibleToImporter(this.get(dependency)));
    const file = registry.getFile(name);
    if (file === undefined) throw new Error(`${name} did not build`);
    return file;
  }
}

// The library re-adds the dependencies of dependencies along every path: exponential in a deep tree of imports.
// A file sees the types of its direct imports and of what those import publicly, nothing else.
function visibleToImporter(file: DescFile): DescFile {
  const publicNames = new Set(file.proto.publicDependency.map((index) => file.proto.dependency[index]));
  return { ...file, dependencies: file.dependencies.filter((dependency) => publicNames.has(dependency.proto.name)) };
}

// A cache of constants: the generated modules are evaluated once each and must share their descriptors.
const files = new ProtoFiles();

/** Descriptor of a generated .proto file, by import path ("envoy/config/core/v3/base.proto"). Throws if there is none. */
export function protoFile(name: string): DescFile {
  return files.get(name);
}
