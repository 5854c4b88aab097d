import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { describe, expect, it } from "vitest";
import { descriptorIndex } from "#generated/descriptors.js";
import { protoFile } from "./proto-file.ts";

describe("the generated descriptors", () => {
  it("build completely, with the types that the index promises", () => {
    for (const [name, packageName, types] of descriptorIndex) {
      const built = [...nestedTypes(protoFile(name))].map((type) => type.typeName);
      const promised = types === "" ? [] : types.split(" ").map((type) => `${packageName}.${type}`);
      expect(built).toEqual(promised);
    }
    expect(descriptorIndex.length).toBeGreaterThan(390);
  });
});
