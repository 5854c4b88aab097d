// The callbacks of a Wasm module. Only the entry of a Wasm build imports this file: `export * from "@mixerless/sdk/exports"`.
export * from "./wasm/exports";
