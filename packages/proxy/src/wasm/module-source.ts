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

/** Where an answer comes from: it was kept, it was fetched for this request, or for another one at the same time. */
export type ModuleOrigin = "cache" | "fetch" | "other-fetch";

export type ModuleAnswer = (
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly digest: string }
  /** Why it can't be had, and whether another try may succeed. */
  | { readonly fault: string; readonly transient: boolean }
) & { readonly origin?: ModuleOrigin };

/** Gets modules; an agent has one, with a cache. Never rejects. */
export interface ModuleSource {
  get(request: ModuleRequest): Promise<ModuleAnswer>;
  /** Modules that are kept. */
  readonly size?: number;
}
