/** What an author can do about a fault, where the compiler's own words leave it open. */
const CURES: readonly (readonly [pattern: RegExp, cure: string])[] = [
  [
    /Closures/,
    "a function may not use variables of the function around it: give it what it needs as fields of an object",
  ],
  [/'f64'.*'i32'|'f64' to type 'i32'/, "use toInt(x) of @mixerless/sdk"],
  [
    /Export 'createRoot' not found|has no exported member 'createRoot'/,
    "export function createRoot(host: RootHandle): RootContext",
  ],
  [
    /Unexpected token|Identifier expected/,
    "AssemblyScript knows a part of TypeScript only: see the guide for plugin authors",
  ],
  [/Cannot find name/, "only what @mixerless/sdk and AssemblyScript's library have is there in Wasm"],
  [/Object is possibly 'null'/, "copy the field to a local constant and compare that with null"],
];

/** The compiler's message with its code, and a cure where one is known. */
export function explain(code: number, message: string): string {
  const cure = CURES.find(([pattern]) => pattern.test(message))?.[1];
  const label = code >= 1000 ? `TS${code}` : `AS${code}`;
  return `${message} (${label})${cure === undefined ? "" : `; ${cure}`}`;
}
