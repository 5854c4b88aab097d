import { createHash } from "node:crypto";

/** What a Secret holds for TLS, PEM. Fields are empty where it has none. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly privateKey: string;
  /** What the other end's certificates must lead up to. */
  readonly authorities: string;
  readonly revocations: string;
  /** DER. */
  readonly ocspStaple: Uint8Array;
}

/** A Secret, as far as TLS and pulling images are concerned. What is secret about it shows in no dump, whoever prints the object. */
export class SecretSpec {
  readonly type: string;
  /** Changes with what it holds, and tells nothing of it. */
  readonly digest: string;
  readonly #material: TlsMaterial;
  readonly #registryLogin: string;

  /** `registryLogin`: the text of `.dockerconfigjson`; empty where there is none. */
  constructor(type: string, material: TlsMaterial, registryLogin = "") {
    this.type = type;
    this.#material = material;
    this.#registryLogin = registryLogin;
    this.digest = digestOf(
      JSON.stringify({ ...material, registryLogin, ocspStaple: Buffer.from(material.ocspStaple).toString("hex") }),
    );
    Object.freeze(this);
  }

  /** For the one place that sends it to the proxy it belongs to. */
  reveal(): TlsMaterial {
    return this.#material;
  }

  /** As {@link reveal}: users and passwords of image registries, as Docker's configuration has them. */
  revealRegistryLogin(): string {
    return this.#registryLogin;
  }
}

/** Says whether two values are the same, without saying what they are. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
