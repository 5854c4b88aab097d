import { CALLBACKS, type CallbackName } from "../module/abi.ts";
import type { LoadedModule } from "../module/load-module.ts";

export type GuestFunction = (...args: number[]) => number | undefined;

/** An exported callback. */
export interface Callback {
  readonly name: CallbackName;
  readonly fn: GuestFunction;
  readonly parameters: number;
}

export type Callbacks = Readonly<Record<CallbackName, Callback | null>>;

/** The callbacks that a module has and may be called with. A missing one is null. */
export function findCallbacks(
  { functions, abi }: LoadedModule,
  capabilities: ReadonlySet<string> | null,
  exportOf: (name: string) => GuestFunction,
): Callbacks {
  const found = Object.keys(CALLBACKS).map((key) => {
    const name = key as CallbackName;
    const type = functions.get(name);
    const unknown = type === undefined || (name === "proxy_on_foreign_function" && abi === "0.1.0");
    const restricted = capabilities !== null && capabilities.size > 0 && !capabilities.has(name);
    return [name, unknown || restricted ? null : { name, fn: exportOf(name), parameters: type.indexOf(":") }];
  });
  return Object.fromEntries(found) as Callbacks;
}

/** What starts a module, in order, with arguments [proxy-wasm §2.5]. */
export function startFunctions({ functions, startExport }: LoadedModule): [name: string, args: number[]][] {
  const run: [string, number[]][] = startExport === null ? [] : [[startExport, []]];
  if (functions.has("_initialize")) {
    run.push(["_initialize", []]);
    if (functions.get("main") === "ii:i") run.push(["main", [0, 0]]);
    else if (functions.has("__main_void")) run.push(["__main_void", []]);
  } else if (functions.has("_start")) run.push(["_start", []]);
  return run;
}

/** Calls with as many arguments as the callback has parameters. */
export function invoke({ fn, parameters }: Callback, id: number, a: number, b: number, c: number, d: number): number {
  switch (parameters) {
    case 1:
      return fn(id) ?? 0;
    case 2:
      return fn(id, a) ?? 0;
    case 3:
      return fn(id, a, b) ?? 0;
    default:
      return fn(id, a, b, c, d) ?? 0;
  }
}
