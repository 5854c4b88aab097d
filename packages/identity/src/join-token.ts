import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "@mixerless/clock";
import { IdentityError } from "./identity-error.ts";
import { isSegment } from "./spiffe-id.ts";

/** What a join token lets its bearer ask for, once: the first certificate of one workload. */
export interface JoinClaims {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Name of the workload, as in its node id. */
  readonly workload: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  /** Unique among all tokens of a mesh. */
  readonly id: string;
}

const PREFIX = "mixerless.v1";
const MAX_BYTES = 2048;
const ID_BYTES = 16;
const KEY_BYTES = 32;
/** A file of tokens that nobody fetched must not grow without end. */
const MAX_REMEMBERED = 100_000;

/** A new secret for signing the tokens of a mesh. Keep it in a file of mode 0600. */
export function createJoinKey(): Uint8Array {
  return randomBytes(KEY_BYTES);
}

/** `mixerless.v1.<claims>.<HMAC-SHA-256>`, both parts in base64url. `lifetime` in milliseconds. */
export function signJoinToken(
  key: Uint8Array,
  claims: Pick<JoinClaims, "namespace" | "serviceAccount" | "workload">,
  clock: Clock,
  lifetime: number,
): string {
  const { namespace, serviceAccount, workload } = claims;
  const id = randomBytes(ID_BYTES).toString("base64url");
  const whole: JoinClaims = { namespace, serviceAccount, workload, expires: clock.now() + lifetime, id };
  const body = `${PREFIX}.${Buffer.from(JSON.stringify(whole)).toString("base64url")}`;
  return `${body}.${mac(key, body).toString("base64url")}`;
}

/** The claims of a token with a right signature that has not expired. Throws {@link IdentityError}. */
export function readJoinToken(key: Uint8Array, token: string, clock: Clock): JoinClaims {
  const text = token.trim();
  const cut = text.lastIndexOf(".");
  if (text.length > MAX_BYTES || cut < 0 || !text.startsWith(`${PREFIX}.`)) throw refused("is no join token");
  const body = text.slice(0, cut);
  const given = Buffer.from(text.slice(cut + 1), "base64url");
  const right = mac(key, body);
  if (given.length !== right.length || !timingSafeEqual(given, right)) throw refused("was not signed by this mesh");
  const claims = JSON.parse(Buffer.from(body.slice(PREFIX.length + 1), "base64url").toString()) as JoinClaims;
  if (!isSegment(claims.namespace) || !isSegment(claims.serviceAccount)) throw refused("names no workload identity");
  if (claims.expires <= clock.now()) throw refused("has expired");
  return claims;
}

/** Where used tokens outlive the process. */
export interface UsedTokenMemory {
  /** Ids of those used before, and when they expire by themselves. */
  readonly used: readonly (readonly [string, number])[];
  /** Keeps these instead of what was kept before. Rejects when it can't. */
  save(used: readonly (readonly [string, number])[]): Promise<void>;
}

const FORGETFUL: UsedTokenMemory = { used: [], save: async () => {} };

/** Takes each token once. */
export class JoinTokens {
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #memory: UsedTokenMemory;
  /** Id → when it expires by itself. */
  readonly #used: Map<string, number>;
  #saving: Promise<void> = Promise.resolve();
  /** Begins when the save under way has ended, and holds whatever came until then. */
  #next: Promise<void> | null = null;

  /** Without a memory, used tokens are known until the process ends. */
  constructor(key: Uint8Array, clock: Clock, memory = FORGETFUL) {
    this.#key = key;
    this.#clock = clock;
    this.#memory = memory;
    this.#used = new Map(memory.used);
    this.#forgetExpired();
  }

  /** The claims of a token that nobody has used, once its use is kept. Rejects with an {@link IdentityError}. */
  async redeem(token: string): Promise<JoinClaims> {
    const claims = this.peek(token);
    if (this.#used.size >= MAX_REMEMBERED) this.#forgetExpired();
    if (this.#used.size >= MAX_REMEMBERED) throw refused("cannot be checked now: too many tokens are in use");
    this.#used.set(claims.id, claims.expires);
    try {
      await this.#save();
    } catch {
      // Nobody got anything for it.
      this.#used.delete(claims.id);
      throw new IdentityError(
        "bad-authority-files",
        "user",
        "The join token cannot be taken now: its use cannot be written down. The control plane's log says why.",
      );
    }
    return claims;
  }

  /** The claims of a token that nobody has used yet, which stays so. Throws {@link IdentityError}. */
  peek(token: string): JoinClaims {
    const claims = readJoinToken(this.#key, token, this.#clock);
    if (this.#used.has(claims.id)) throw refused("has been used before");
    return claims;
  }

  #save(): Promise<void> {
    this.#next ??= this.#saving
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#forgetExpired();
        this.#saving = this.#memory.save([...this.#used]);
        return this.#saving;
      });
    return this.#next;
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [id, expires] of this.#used) if (expires <= now) this.#used.delete(id);
  }
}

function mac(key: Uint8Array, body: string): Buffer {
  return createHmac("sha256", key).update(body).digest();
}

function refused(why: string): IdentityError {
  return new IdentityError(
    "bad-join-token",
    "peer",
    `The join token ${why}. Make a new one for this workload: mixerless token create.`,
  );
}
