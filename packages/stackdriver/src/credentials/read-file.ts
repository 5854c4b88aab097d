import { readFile as readFileOf, stat } from "node:fs/promises";
import { isObject } from "../config/json-fields.ts";
import type { TokenFault } from "./token-source.ts";

/** The text of a small file. Rejects where it can't be read. */
export type ReadFile = (path: string) => Promise<string>;

const MOST_BYTES = 64 * 1024;

export const readSmallFile: ReadFile = async (path) => {
  const { size } = await stat(path);
  if (size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
  return readFileOf(path, "utf8");
};

/** A file with one JSON object. */
export async function readJsonFile(
  path: string,
  readFile: ReadFile,
): Promise<{ readonly fields: Readonly<Record<string, unknown>> } | TokenFault> {
  try {
    const json: unknown = JSON.parse(await readFile(path));
    return isObject(json) ? { fields: json } : { fault: `${path} holds no JSON object` };
  } catch (error) {
    // A parser's message shows what it read, which is a secret here.
    if (error instanceof SyntaxError) return { fault: `${path} is not JSON` };
    return { fault: `${path} can't be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The token in a file that somebody renews: its text, or a field of its JSON. */
export async function readToken(
  path: string,
  format: unknown,
  readFile: ReadFile,
): Promise<{ readonly token: string } | TokenFault> {
  if (!isObject(format) || format.type !== "json") {
    try {
      const token = (await readFile(path)).trim();
      return token === "" ? { fault: `${path} is empty` } : { token };
    } catch (error) {
      return { fault: `${path} can't be read: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  const file = await readJsonFile(path, readFile);
  if ("fault" in file) return file;
  const field = format.subject_token_field_name;
  const token = typeof field === "string" ? file.fields[field] : undefined;
  if (typeof token === "string" && token !== "") return { token };
  return { fault: `${path} has no text in the field ${String(field)}` };
}
