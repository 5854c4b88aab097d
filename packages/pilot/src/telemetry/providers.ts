import type { ExtensionProvider, MeshConfigSpec } from "../config/kinds/mesh-config.ts";

/** The provider of that name, whatever its case. */
export function providerNamed(mesh: MeshConfigSpec, name: string): ExtensionProvider | undefined {
  const wanted = name.toLowerCase();
  return mesh.extensionProviders.find((provider) => provider.name.toLowerCase() === wanted);
}
