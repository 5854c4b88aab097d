import type { MeshConfigSpec } from "./kinds/mesh-config.ts";
import { meshConfig } from "./kinds/mesh-config-schema.ts";
import { Cursor } from "./schema/cursor.ts";

/** The mesh configuration where nobody wrote one: Istio's defaults. */
export function defaultMeshConfig(): MeshConfigSpec {
  const nowhere = { file: "", line: 0, column: 0 };
  const mesh = meshConfig({}, Cursor.root({ object: "MeshConfig", namespace: "", locate: () => nowhere }));
  if (mesh === undefined) throw new Error("The defaults of the mesh configuration do not read.");
  return mesh;
}
