import { join } from "node:path";
import type { Clock } from "@mixerless/clock";
import { IdentityError } from "../identity-error.ts";
import { JoinTokens } from "../join-token.ts";
import { readIfThere, replaceFile } from "./owner-file.ts";

export interface UsedTokensOptions {
  /** That of the authority. */
  readonly folder: string;
  readonly joinKey: Uint8Array;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

interface UsedTokens {
  readonly version: 1;
  /** Id, and when the token expires by itself. */
  readonly used: readonly (readonly [string, number])[];
}

const FILE = "used-tokens.json";

/**
 * Takes each join token once, also across restarts: the used ones are kept beside the authority, mode 0600, until they
 * expire. A damaged file is refused, because whatever it held could be used again.
 */
export async function openJoinTokens({ folder, joinKey, clock, log }: UsedTokensOptions): Promise<JoinTokens> {
  const path = join(folder, FILE);
  return new JoinTokens(joinKey, clock, {
    used: await read(path),
    save: async (used) => {
      const state: UsedTokens = { version: 1, used };
      try {
        await replaceFile(path, JSON.stringify(state));
      } catch (error) {
        log(`Join tokens are refused, because ${path} cannot be written: ${(error as Error).message}`);
        throw error;
      }
    },
  });
}

async function read(path: string): Promise<UsedTokens["used"]> {
  const text = await readIfThere(path);
  if (text === null) return [];
  try {
    const state = JSON.parse(text) as UsedTokens;
    if (state.version === 1 && Array.isArray(state.used) && state.used.every(isEntry)) return state.used;
  } catch {
    // Told below.
  }
  throw damaged(path);
}

function isEntry(entry: unknown): entry is readonly [string, number] {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string" && Number.isSafeInteger(entry[1]);
}

function damaged(path: string): IdentityError {
  const cure =
    "Remove it together with join-key beside it: unused tokens are void then and have to be made anew. Removing it alone lets used ones in again.";
  return new IdentityError("bad-authority-files", "user", `${path} is damaged. ${cure}`);
}
