// Only the AssemblyScript compiler reads this file: it resolves a package to its `index.ts` and knows no `exports`.
export * from "./wasm/api";
