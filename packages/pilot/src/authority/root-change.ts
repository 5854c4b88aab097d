import { X509Certificate } from "node:crypto";
import type { Clock } from "@mixerless/clock";
import { checkOperator, IdentityError } from "@mixerless/identity";
import type { AuthorityFolder, IssuedCertificates, RootStatus } from "@mixerless/identity/authority";
import { type ProxyConnection, TypeUrl } from "@mixerless/xds";
import { rootsVersion } from "./identified-source.ts";

/** The steps of a change of roots, in their order. */
export const STAGES = ["add", "issue", "drop"] as const;
export type Stage = (typeof STAGES)[number];

/** What operators see of the mesh's roots. */
export interface RootsStatus {
  /** The oldest first; the one that signs alone where an operator's files do. */
  readonly roots: readonly (RootStatus & { readonly inUse: number })[];
  /** Whether the roots are an operator's files. */
  readonly pluggedIn: boolean;
  /** The step that is due; null: no change is under way. */
  readonly next: Exclude<Stage, "add"> | null;
  /** Who has to be waited for before it: proxies that do not trust the new root yet, holders of old certificates. */
  readonly waiting: readonly string[];
}

export interface RootChangeOptions {
  readonly files: Pick<AuthorityFolder, "describe" | "step" | "roots" | "signer" | "joinKey">;
  readonly issued: Pick<IssuedCertificates, "under" | "expiryOf">;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly connections: () => readonly ProxyConnection[];
}

/** A change of the mesh's root in steps that refuse to be taken too early. What has been done is on disk at once. */
export class RootChange {
  readonly #options: RootChangeOptions;
  #working: Promise<unknown> = Promise.resolve();

  constructor(options: RootChangeOptions) {
    this.#options = options;
  }

  status(): RootsStatus {
    const { files, issued } = this.#options;
    const made = files.describe();
    const roots = (made ?? [pluggedIn(files)]).map((root) => ({
      ...root,
      inUse: issued.under(root.fingerprint).length,
    }));
    const has = (role: RootStatus["role"]) => roots.some((root) => root.role === role);
    const next = made === null ? null : has("next") ? "issue" : has("old") ? "drop" : null;
    return { roots, pluggedIn: made === null, next, waiting: next === null ? [] : this.#waiting(next) };
  }

  /** Takes one step. `proof` is the operator's; `force` goes on without those that are waited for. Rejects with an IdentityError. */
  take(stage: Stage, force: boolean, proof: string): Promise<RootsStatus> {
    const { files, clock } = this.#options;
    checkOperator(files.joinKey, actionOf(stage, force), proof, clock);
    const taking = this.#working.then(() => this.#take(stage, force));
    this.#working = taking.catch(() => {});
    return taking;
  }

  async #take(stage: Stage, force: boolean): Promise<RootsStatus> {
    const { files, log } = this.#options;
    const { next, waiting, pluggedIn } = this.status();
    const due = next ?? "add";
    if (!pluggedIn && stage !== due) {
      const why = next === null ? "no change of roots is under way" : "a change of roots is under way";
      throw new IdentityError("too-early", "user", `The step "${stage}" is not due: ${why}. Next comes "${due}".`);
    }
    if (waiting.length > 0 && !force) {
      const some = waiting.slice(0, 5).join("; ") + (waiting.length > 5 ? `; and ${waiting.length - 5} more` : "");
      throw new IdentityError(
        "too-early",
        "user",
        `It is too early for "${stage}": ${some}. Wait, or go on without them with --force.`,
      );
    }
    await files.step(stage);
    const forced = waiting.length > 0 ? `, without waiting for ${waiting.length}` : "";
    log(`Change of roots: "${stage}" done${forced}; ${files.signer.facts.fingerprint.slice(0, 16)} signs.`);
    return this.status();
  }

  /** Clients with certificates that are in no books, such as those that operators put into files. */
  #strangers(): string[] {
    const { files, issued, connections, clock } = this.#options;
    const { publicKey } = new X509Certificate(files.signer.certificate);
    return connections().flatMap(({ identity, node }) => {
      const shown = identity?.certificate;
      if (shown === undefined || shown.notAfter <= clock.now() || issued.expiryOf(shown.serial) !== null) return [];
      if (new X509Certificate(shown.raw).verify(publicKey)) return [];
      return [
        `${node.id.split("~")[2]} has shown a certificate that the new root did not sign, until ${isoTime(shown.notAfter)}`,
      ];
    });
  }

  #waiting(next: "issue" | "drop"): string[] {
    const { files, issued, connections } = this.#options;
    const version = rootsVersion(files.roots);
    const behind = connections().flatMap((connection) => {
      if (!connection.status().watches.some(({ typeUrl }) => typeUrl === TypeUrl.proxyConfig)) return [];
      const [held] = connection.resources(TypeUrl.proxyConfig);
      if (held?.version === version && held.state === "acked") return [];
      return [`${connection.node.id.split("~")[2]} has not confirmed the new roots`];
    });
    if (next === "issue") return behind;
    const old = (files.describe() ?? []).filter(({ role }) => role === "old");
    const holders = old.flatMap(({ fingerprint }) => issued.under(fingerprint));
    return [
      ...behind,
      ...this.#strangers(),
      ...holders.map(
        ({ identity, notAfter }) => `${identity} has a certificate under the old root until ${isoTime(notAfter)}`,
      ),
    ];
  }
}

/** What an operator's proof is good for. */
function actionOf(stage: Stage, force: boolean): string {
  return `roots ${stage}${force ? " force" : ""}`;
}

function pluggedIn({ signer }: RootChangeOptions["files"]): RootStatus {
  const { fingerprint, notBefore, notAfter } = signer.rootFacts;
  return { fingerprint, role: "signs", notBefore, notAfter, signsFrom: notBefore, trustedUntil: notAfter };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
