import { readFile } from "node:fs/promises";
import type { CodeSource } from "@mixerless/wasm";
import type { ModuleAnswer, ModuleRequest, ModuleSource } from "./module-source.ts";
import type { RemoteLoads } from "./remote-loads.ts";

/** How code that is somewhere else is fetched. */
export type FetchOptions = Pick<ModuleRequest, "plugin" | "policy" | "version" | "pullSecret">;

/** The module behind a configuration's `code`. */
export async function readCode(
  code: CodeSource,
  options: FetchOptions,
  modules: ModuleSource | null,
  loads: Pick<RemoteLoads, "answered">,
): Promise<ModuleAnswer> {
  switch (code.kind) {
    case "inline":
      return { bytes: new Uint8Array(code.bytes), digest: "" };
    case "environment": {
      const value = process.env[code.name];
      if (value === undefined) return { fault: `the variable ${code.name} is not set`, transient: false };
      return { bytes: new Uint8Array(Buffer.from(value, "latin1")), digest: "" };
    }
    case "file":
      try {
        return { bytes: new Uint8Array(await readFile(code.path)), digest: "" };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { fault: `${code.path} can't be read: ${reason}`, transient: true };
      }
    case "remote": {
      if (modules === null) break;
      const answer = await modules.get({ ...options, url: code.uri, sha256: code.sha256 });
      loads.answered(answer, modules);
      return answer;
    }
  }
  return { fault: `code from ${code.kind} is not supported`, transient: false };
}
