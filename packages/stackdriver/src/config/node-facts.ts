import type { RootContext } from "@mixerless/sdk";
import { Property } from "@mixerless/sdk";
import { fromByteString } from "../filter/text.ts";

/** Reads the node's metadata: `text("NAMESPACE")`, `text("PLATFORM_METADATA", "gcp_project")`; "" where it is absent. */
export type NodeFacts = (...path: string[]) => string;

export function nodeFacts(root: RootContext): NodeFacts {
  return (...path) => fromByteString(root.getString(new Property(["xds", "node", "metadata", ...path])) ?? "");
}

/** A whole number of seconds in milliseconds; `missing` where the node has none that can be used. */
export function secondsOf(node: NodeFacts, name: string, missing: number, warn: (message: string) => void): number {
  const text = node(name);
  if (text === "") return missing;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text) * 1000;
  warn(`the node's ${name} is "${text.slice(0, 40)}", not a whole number of seconds; ${missing / 1000} is used`);
  return missing;
}
