import type { ConfigObject } from "../../config/config-object.ts";

const ANNOTATION = "istio.io/dry-run";
const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);

/** Whether the policy is only to be tried. Anything that Go would not read as true enforces it. */
export function isDryRun({ metadata }: ConfigObject<"AuthorizationPolicy">): boolean {
  return TRUE.has(metadata.annotations[ANNOTATION] ?? "");
}
