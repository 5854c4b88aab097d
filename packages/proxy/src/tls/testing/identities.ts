import type { Clock } from "@mixerless/clock";
import { createKeyAndRequest, type SpiffeId } from "@mixerless/identity";
import {
  type AuthorityFiles,
  CertificateAuthority,
  createRoot,
  readSigner,
  type Signer,
} from "@mixerless/identity/authority";
import type { KeyPair, TrustedRoots } from "../secret-store.ts";

const YEAR = 365 * 86_400_000;

/** An authority for tests: identities and the root that they lead up to. */
export class TestAuthority {
  readonly #signer: Signer;
  readonly #authority: CertificateAuthority;

  private constructor(signer: Signer, clock: Clock) {
    this.#signer = signer;
    this.#authority = new CertificateAuthority({ clock, signer: () => signer });
  }

  static async create(clock: Clock): Promise<TestAuthority> {
    const files: AuthorityFiles = await createRoot("cluster.local", clock.now(), YEAR);
    return new TestAuthority(await readSigner(files, clock.now()), clock);
  }

  get roots(): TrustedRoots {
    return { trustedCa: this.#signer.root };
  }

  /** `lifetime` in milliseconds; 0: a day. */
  async identity(serviceAccount: string, lifetime = 0, other: Partial<SpiffeId> = {}): Promise<KeyPair> {
    const id = { trustDomain: "cluster.local", namespace: "default", serviceAccount, ...other };
    const { key, csr } = await createKeyAndRequest(id);
    const { chain } = await this.#authority.issue(csr, id, lifetime);
    return { certificateChain: chain.slice(0, -1).join(""), privateKey: key };
  }
}
