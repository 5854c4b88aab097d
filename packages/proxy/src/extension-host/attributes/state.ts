import { type AttributeFamily, type AttributeReader, descend } from "./attribute.ts";

/** `filter_state.<key>.…`: what filters left for each other. A key may contain dots: it is one segment of the path. */
export const FILTER_STATE: AttributeFamily = (rest) => {
  const [key] = rest;
  if (key === undefined) return null;
  return stateReader(key, rest);
};

/** `metadata.filter_metadata.<namespace>.…`: what filters set at run time. */
export const DYNAMIC_METADATA: AttributeFamily = (rest) => {
  const start = rest[0] === "filter_metadata" ? 1 : 0;
  return ({ info }) => descend(info?.dynamicMetadata ?? null, rest, start);
};

function stateReader(key: string, path: readonly string[]): AttributeReader {
  return ({ info }) => {
    const value = info?.filterState.get(key);
    // Extensions store byte strings, which are not text to be encoded again.
    if (typeof value === "string") return path.length === 1 ? value : null;
    return descend(value ?? null, path, 1);
  };
}

/** A bare name that nothing else claims: the state that Wasm plugins share, as older releases let one write it. */
export function bareState(path: readonly string[]): AttributeReader {
  const [key = "", ...rest] = path;
  const plugin = stateReader(`wasm.${key}`, [key, ...rest]);
  const plain = stateReader(key, path);
  return (source) => plugin(source) ?? plain(source);
}
