import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { splitCertificates } from "../certificate.ts";
import { IdentityError } from "../identity-error.ts";
import { createJoinKey } from "../join-token.ts";
import { readIfThere, replaceFile } from "./owner-file.ts";
import { type AuthorityState, type RootStatus, RotatingRoot, type RotationOptions } from "./rotating-root.ts";
import { type AuthorityFiles, readSigner, type Signer } from "./signer.ts";

export interface AuthorityFolderOptions extends Omit<RotationOptions, "save"> {
  /** Holds what the operator plugged in, or what is made here; made with mode 0700 if it is not there. */
  readonly folder: string;
  readonly log: (message: string) => void;
}

const STATE = "authority.json";
const JOIN_KEY = "join-key";
/** For those who only need to know whom to trust. */
const ROOTS = "roots.pem";
const PLUGGED_IN: readonly (keyof AuthorityFiles)[] = ["ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"];
const PLUG_IN_ANOTHER =
  "The root is an operator's: put the new one beside the old one into root-cert.pem, the one that ca-cert.pem leads to first, and take the old one out when certificates under it are no more in use.";
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

/**
 * The mesh's signing authority as it lies on disk: Istio's four files where an operator has plugged an
 * intermediate in, else a root that makes and follows itself. The last good one signs on while files are wrong.
 * The roots to be trusted lie beside it in `roots.pem`, to be copied to where workloads start.
 */
export class AuthorityFolder {
  readonly #options: AuthorityFolderOptions;
  /** Signs the tokens by which workloads join; kept in a file of mode 0600. */
  readonly joinKey: Uint8Array;
  #made: RotatingRoot | null = null;
  #plugged: { readonly text: string; readonly signer: Signer; readonly roots: readonly string[] } | null = null;
  #shownRoots = "";

  private constructor(options: AuthorityFolderOptions, joinKey: Uint8Array) {
    this.#options = options;
    this.joinKey = joinKey;
  }

  /** Rejects with an IdentityError that names the file, or with the system's error for a folder that can't be used. */
  static async open(options: AuthorityFolderOptions): Promise<AuthorityFolder> {
    const { folder, clock } = options;
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const authority = new AuthorityFolder(options, await openJoinKey(folder));
    const files = await readPluggedIn(folder);
    if (files !== null) await authority.#plugIn(files, clock.now());
    else authority.#made = await RotatingRoot.open(await readState(folder), authority.#rotation());
    await authority.#showRoots();
    return authority;
  }

  /** The certificate that signs now. */
  get signer(): Signer {
    const signer = this.#plugged?.signer ?? this.#made?.signer;
    if (signer === undefined) throw new Error("An opened authority has a signer.");
    return signer;
  }

  /** The oldest that is trusted: who was away while roots changed knows what it signs. */
  get oldestSigner(): Signer {
    return this.#plugged?.signer ?? this.#made?.oldestSigner ?? this.signer;
  }

  /** PEM of every root to be trusted, one an entry; the one that signs first. */
  get roots(): readonly string[] {
    return this.#plugged?.roots ?? this.#made?.roots ?? [];
  }

  /** Takes over changed files and makes the next root in time. To be called now and then; never rejects. */
  async check(): Promise<void> {
    const { folder, clock, log, onChange } = this.#options;
    try {
      const files = await readPluggedIn(folder);
      if (files !== null && JSON.stringify(files) !== this.#plugged?.text) {
        await this.#plugIn(files, clock.now());
        onChange?.();
      } else if (files === null) await this.#made?.check();
      await this.#showRoots();
    } catch (error) {
      log(`The authority in ${folder} is as it was before: ${(error as Error).message}`);
    }
  }

  /** Every trusted root of the mesh's own, the oldest first; null where an operator's files sign. */
  describe(): readonly RootStatus[] | null {
    return this.#plugged === null ? (this.#made?.describe() ?? null) : null;
  }

  /** Takes one step of a change of roots. Rejects where an operator's files sign, whose change is the operator's. */
  async step(stage: "add" | "issue" | "drop"): Promise<void> {
    const made = this.#plugged === null ? this.#made : null;
    if (made === null) throw new IdentityError("bad-authority-files", "user", PLUG_IN_ANOTHER);
    if (stage === "add") await made.rotate();
    else if (stage === "issue") await made.signByNewest();
    else await made.dropOld();
    await this.#showRoots();
  }

  async #showRoots(): Promise<void> {
    const text = this.roots.join("");
    if (text === this.#shownRoots) return;
    await replaceFile(join(this.#options.folder, ROOTS), text);
    this.#shownRoots = text;
  }

  async #plugIn(files: AuthorityFiles, now: number): Promise<void> {
    const { folder, log } = this.#options;
    const signer = await readSigner(files, now);
    const { mode } = await stat(join(folder, "ca-key.pem"));
    if ((mode & OTHERS) !== 0) log(`${join(folder, "ca-key.pem")} can be read by others. Give it the mode 0600.`);
    this.#plugged = { text: JSON.stringify(files), signer, roots: splitCertificates(files["root-cert.pem"]) };
  }

  #rotation(): RotationOptions {
    const { folder, log: _log, ...rotation } = this.#options;
    return { ...rotation, save: (state) => replaceFile(join(folder, STATE), JSON.stringify(state)) };
  }
}

/** The key of an authority that is there already. Rejects with an {@link IdentityError} that names the folder. */
export async function readJoinKey(folder: string): Promise<Uint8Array> {
  const kept = await readIfThere(join(folder, JOIN_KEY));
  if (kept !== null) return Buffer.from(kept, "base64url");
  throw new IdentityError("bad-authority-files", "user", `${folder} is no folder of a signing authority.`);
}

async function openJoinKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, JOIN_KEY);
  const kept = await readIfThere(path);
  if (kept !== null) return Buffer.from(kept, "base64url");
  const key = createJoinKey();
  await replaceFile(path, Buffer.from(key).toString("base64url"));
  return key;
}

async function readState(folder: string): Promise<AuthorityState | null> {
  const path = join(folder, STATE);
  const text = await readIfThere(path);
  if (text === null) return null;
  try {
    const state = JSON.parse(text) as AuthorityState;
    if (state.version === 1 && Array.isArray(state.generations)) return state;
  } catch {
    // What the parser says could quote a key.
  }
  const cure = "Restore it from a copy; removing it gives the mesh a new root, which no workload trusts yet.";
  throw new IdentityError("bad-authority-files", "user", `${path} is damaged. ${cure}`);
}

/** Null where nothing is plugged in. */
async function readPluggedIn(folder: string): Promise<AuthorityFiles | null> {
  const texts = await Promise.all(PLUGGED_IN.map((name) => readIfThere(join(folder, name))));
  if (texts.every((text) => text === null)) return null;
  const [certificate, key, root, chain] = texts;
  for (const [i, text] of [certificate, key, root].entries()) {
    if (text == null) {
      const name = join(folder, PLUGGED_IN[i] ?? "");
      throw new IdentityError(
        "bad-authority-files",
        "user",
        `${name} is missing, though other files of an authority are there.`,
      );
    }
  }
  return {
    "ca-cert.pem": certificate ?? "",
    "ca-key.pem": key ?? "",
    "root-cert.pem": root ?? "",
    "cert-chain.pem": chain ?? "",
  };
}
