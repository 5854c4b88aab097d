import { readFile, stat } from "node:fs/promises";

const OTHERS = 0o077;

/** The join token of a file that only its owner can read. Rejects with what is wrong with it, never with its content. */
export async function readTokenFile(path: string): Promise<string> {
  const cure = "Make one with: mixerless token create.";
  let mode: number;
  let text: string;
  try {
    ({ mode } = await stat(path));
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new Error(`The join token ${path} cannot be read (${code}). ${cure}`);
  }
  if ((mode & OTHERS) !== 0)
    throw new Error(`The join token ${path} can be read by others. Make a new one, in a file of mode 0600.`);
  if (text.trim() === "") throw new Error(`The join token ${path} is empty. ${cure}`);
  return text.trim();
}
