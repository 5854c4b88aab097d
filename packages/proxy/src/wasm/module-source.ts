/** A module that is somewhere else. */
export interface ModuleRequest {
  /** The plugin that wants it. */
  readonly plugin: string;
  /** `oci://`, `http://` or `https://`; without a scheme it is an image. */
  readonly url: string;
  /** Of an image's manifest or of the file as it is served, 64 hexadecimal digits; empty: whatever is there. */
  readonly sha256: string;
  /** Empty: by the tag, `latest` is always pulled. */
  readonly policy: "" | "IfNotPresent" | "Always";
  /** Changes when the plugin's own configuration has changed. */
  readonly version: string;
  /** Logins for registries, in Docker's format; empty: none. */
  readonly pullSecret: string;
}

export type ModuleAnswer =
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly digest: string }
  /** Why it can't be had, and whether another try may succeed. */
  | { readonly fault: string; readonly transient: boolean };

/** Gets modules; an agent has one, with a cache. Never rejects. */
export interface ModuleSource {
  get(request: ModuleRequest): Promise<ModuleAnswer>;
}

const AGENT = "ISTIO_META_WASM_";

/** Takes what is meant for whoever fetches the module out of a plugin's environment [control-plane §3.3]. */
export function takeFetchOptions(environment: ReadonlyMap<string, string>): {
  readonly environment: ReadonlyMap<string, string>;
  readonly options: Pick<ModuleRequest, "policy" | "version" | "pullSecret">;
} {
  const policy = environment.get(`${AGENT}IMAGE_PULL_POLICY`) ?? "";
  return {
    environment: new Map([...environment].filter(([name]) => !name.startsWith(AGENT))),
    options: {
      policy: policy === "Always" || policy === "IfNotPresent" ? policy : "",
      version: environment.get(`${AGENT}PLUGIN_RESOURCE_VERSION`) ?? "",
      pullSecret: environment.get(`${AGENT}IMAGE_PULL_SECRET`) ?? "",
    },
  };
}
