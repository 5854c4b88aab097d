import type { ModuleInfo } from "./parse-module.ts";
import type { Signature } from "./signature.ts";

export type AbiVersion = "0.1.0" | "0.2.0" | "0.2.1";

const MARKERS: Readonly<Record<string, AbiVersion>> = {
  proxy_abi_version_0_1_0: "0.1.0",
  proxy_abi_version_0_2_0: "0.2.0",
  proxy_abi_version_0_2_1: "0.2.1",
};

/** The first exported function with the name of a version decides; it is never called. */
export function detectAbi(info: ModuleInfo): AbiVersion | null {
  for (const { kind, name } of info.exports) {
    if (kind === "function" && Object.hasOwn(MARKERS, name)) return MARKERS[name] ?? null;
  }
  return null;
}

/** Every callback that the host calls, with its type [proxy-wasm §7]. */
export const CALLBACKS = {
  proxy_on_context_create: "ii:",
  proxy_on_vm_start: "ii:i",
  proxy_validate_configuration: "ii:i",
  proxy_on_configure: "ii:i",
  proxy_on_tick: "i:",
  proxy_on_new_connection: "i:i",
  proxy_on_downstream_data: "iii:i",
  proxy_on_upstream_data: "iii:i",
  proxy_on_downstream_connection_close: "ii:",
  proxy_on_upstream_connection_close: "ii:",
  proxy_on_request_headers: "iii:i",
  proxy_on_request_body: "iii:i",
  proxy_on_request_trailers: "ii:i",
  proxy_on_request_metadata: "ii:i",
  proxy_on_response_headers: "iii:i",
  proxy_on_response_body: "iii:i",
  proxy_on_response_trailers: "ii:i",
  proxy_on_response_metadata: "ii:i",
  proxy_on_http_call_response: "iiiii:",
  proxy_on_grpc_receive_initial_metadata: "iii:",
  proxy_on_grpc_receive: "iii:",
  proxy_on_grpc_receive_trailing_metadata: "iii:",
  proxy_on_grpc_close: "iii:",
  proxy_on_queue_ready: "ii:",
  proxy_on_foreign_function: "iii:",
  proxy_on_done: "i:i",
  proxy_on_log: "i:",
  proxy_on_delete: "i:",
  envoy_on_resolve_dns: "iii:",
  envoy_on_stats_update: "ii:",
} as const satisfies Record<string, Signature>;

export type CallbackName = keyof typeof CALLBACKS;

/** Some published modules of version 0.1.0 have the third parameter of later versions: either form will do. */
const OTHER_FORMS: Readonly<Record<string, Signature>> = {
  proxy_on_request_headers: "ii:i",
  proxy_on_response_headers: "ii:i",
};

/** What the host calls beside the callbacks: start functions and allocators. */
const ENTRY_POINTS: Readonly<Record<string, readonly Signature[]>> = {
  _initialize: [":"],
  _start: [":"],
  main: ["ii:i"],
  __main_void: [":i"],
  malloc: ["i:i"],
  proxy_on_memory_allocate: ["i:i"],
};

/** The types in which the host can call an export; null: it never calls it. */
export function acceptedSignatures(name: string): readonly Signature[] | null {
  if (Object.hasOwn(CALLBACKS, name)) {
    const wanted = CALLBACKS[name as CallbackName];
    const other = OTHER_FORMS[name];
    return other === undefined ? [wanted] : [wanted, other];
  }
  return Object.hasOwn(ENTRY_POINTS, name) ? (ENTRY_POINTS[name] ?? null) : null;
}
