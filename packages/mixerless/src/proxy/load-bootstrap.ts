import { readFileSync } from "node:fs";
import { decodeBootstrap } from "@mixerless/proxy";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import { type BootstrapSource, readBootstrapSource } from "./bootstrap-source.ts";

/** A bootstrap and where its fields stand. */
export interface LoadedBootstrap {
  readonly bootstrap: Bootstrap;
  readonly source: BootstrapSource;
}

/** One reason why a bootstrap cannot be used. */
export interface BootstrapFault {
  readonly path: string;
  readonly message: string;
}

/** The bootstrap of a file. Throws an Error that names each wrong field with its line. */
export function loadBootstrap(file: string): LoadedBootstrap {
  const source = readBootstrapSource(file, readText(file));
  const decoded = decodeBootstrap(source.value);
  if (decoded.faults !== undefined) throw refusal(file, source, decoded.faults);
  return { bootstrap: decoded.message, source };
}

/** The error that lists what is wrong, a field a line. */
export function refusal(file: string, source: BootstrapSource, faults: readonly BootstrapFault[]): Error {
  const lines = faults.map(
    ({ path, message }) => `  ${source.locate(path)}: ${path === "" ? "" : `${path}: `}${message}`,
  );
  return new Error(`${file} was refused; nothing listens.\n${lines.join("\n")}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} can't be read: ${reason}. Give the path of an Envoy bootstrap in YAML or JSON.`);
  }
}
