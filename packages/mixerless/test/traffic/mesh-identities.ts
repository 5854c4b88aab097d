import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { SystemClock } from "@mixerless/clock";
import { createKeyAndRequest } from "@mixerless/identity";
import { CertificateAuthority, createRoot, readSigner, type Signer } from "@mixerless/identity/authority";
import type { GeneratedTraffic } from "@mixerless/pilot/testing";
import { packAny } from "@mixerless/wire";
import { type Secret, SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";

const DAY = 86_400_000;

/** A certificate and its key, PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** The identities of a mesh that exists only in a test. */
export class MeshIdentities {
  readonly #signer: Signer;
  readonly #authority: CertificateAuthority;
  readonly #issued = new Map<string, Promise<Credentials>>();

  private constructor(signer: Signer, clock: SystemClock) {
    this.#signer = signer;
    this.#authority = new CertificateAuthority({ clock, signer: () => signer });
  }

  static async create(): Promise<MeshIdentities> {
    const clock = new SystemClock();
    const now = clock.now();
    return new MeshIdentities(await readSigner(await createRoot("cluster.local", now, DAY), now), clock);
  }

  get roots(): string {
    return this.#signer.root;
  }

  /** Of `spiffe://<trust domain>/ns/<namespace>/sa/<account>`. */
  of(spiffe: string): Promise<Credentials> {
    let issued = this.#issued.get(spiffe);
    if (issued === undefined) {
      issued = this.#issue(spiffe);
      this.#issued.set(spiffe, issued);
    }
    return issued;
  }

  /** The secrets that a control plane would send for the credentials that the resources of a case name. */
  async credentials({ json }: GeneratedTraffic): Promise<{ name: string; any: Any }[]> {
    const names = new Set(JSON.stringify(json).match(/kubernetes:\/\/[a-z0-9-]+/g) ?? []);
    return Promise.all([...names].map(async (name) => ({ name, any: packAny(SecretSchema, await this.secret(name)) })));
  }

  /** The secret of a name: roots where it is about authorities, else the certificate of the account `own`. */
  async secret(name: string, own = accountOf(name)): Promise<Secret> {
    if (name.endsWith("-cacert") || name.startsWith("file-root:") || name === "ROOTCA")
      return create(SecretSchema, {
        name,
        type: { case: "validationContext", value: { trustedCa: inline(this.roots) } },
      });
    const { cert, key } = await this.of(own);
    return create(SecretSchema, {
      name,
      type: { case: "tlsCertificate", value: { certificateChain: inline(cert), privateKey: inline(key) } },
    });
  }

  async #issue(spiffe: string): Promise<Credentials> {
    const [trustDomain = "", , namespace = "", , serviceAccount = ""] = spiffe.slice("spiffe://".length).split("/");
    const id = { trustDomain, namespace, serviceAccount };
    const { key, csr } = await createKeyAndRequest(id);
    const { chain } = await this.#authority.issue(csr, id, 0);
    return { cert: chain.slice(0, -1).join(""), key };
  }
}

/** A credential has an account of its own name. */
function accountOf(name: string): string {
  return `spiffe://cluster.local/ns/default/sa/${name.replace(/^.*:\/\//, "")}`;
}

function inline(text: string) {
  return { specifier: { case: "inlineString" as const, value: text } };
}
