import { constants, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Reads a file of at most `maxBytes`; null if there is none. Rejects with a reason to show. */
export async function readCacheFile(path: string, maxBytes: number): Promise<Buffer | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
  try {
    const { size, mode, uid } = await file.stat();
    // Whoever can write this file decides where the workload's traffic goes.
    if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== process.getuid?.())) {
      throw new Error("others than its owner may write to it, or another user owns it");
    }
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Replaces a file in one step, readable for its owner only: after a crash there is the old one or the new one. */
export async function writeCacheFile(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(temporary, { force: true });
  // Exclusive: whatever appears at this path between the two calls is not followed or reused.
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

export async function removeCacheFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
