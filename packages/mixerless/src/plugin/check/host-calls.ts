import { ENV_FUNCTIONS, parseModule } from "@mixerless/wasm";

/** What brings imports along that no Proxy-Wasm host has, and what does the same. */
const CURES: Readonly<Record<string, string>> = {
  seed: "Math.random() needs it",
  "Date.now": "Date.now() needs it: use now() of the root context",
  "console.log": "console.log() needs it: use log() of the root context",
  "console.error": "console.error() needs it: use log() of the root context",
  trace: "trace() needs it: use log() of the root context",
};

/** Imports that a Proxy-Wasm 0.2.1 host would refuse, as sentences. The WASI functions of other SDKs are not the SDK's. */
export function foreignImports(bytes: Uint8Array): string[] {
  const info = parseModule(bytes);
  if ("fault" in info) return [`the module ${info.fault}`];
  return info.imports
    .filter(({ module, name, kind }) => module !== "env" || kind !== "function" || !Object.hasOwn(ENV_FUNCTIONS, name))
    .map(({ module, name }) => {
      const cure = CURES[name];
      return `the module imports ${module}.${name}, which no Proxy-Wasm host has${cure === undefined ? "" : `; ${cure}`}`;
    });
}
