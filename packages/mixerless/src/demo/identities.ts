import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateSettings } from "@mixerless/agent";
import type { Clock } from "@mixerless/clock";
import { signJoinToken } from "@mixerless/identity";
import { AuthorityFolder } from "@mixerless/identity/authority";
import { type AddressPlan, text } from "./address-plan.ts";
import { type DemoWorkload, serviceAccountOf } from "./workloads.ts";

/** Milliseconds in which a sidecar must use the token that it was started with. */
const TOKEN_LIFETIME = 3_600_000;
const OWNER_ONLY = 0o600;
const FOLDER_MODE = 0o700;

/** Trust domain of the demo's identities. */
export const TRUST_DOMAIN = "cluster.local";

/** How the workloads of a demo come by their certificates. */
export class DemoIdentities {
  /** The signing authority's folder, for the control plane. */
  readonly authority: string;
  readonly #tokens: string;
  readonly #sockets: string;
  readonly #joinKey: Uint8Array;
  readonly #clock: Clock;
  readonly #service: string;
  readonly #lifetime: number;

  private constructor(folder: string, joinKey: Uint8Array, clock: Clock, service: string, lifetime: number) {
    this.#lifetime = lifetime;
    this.authority = join(folder, "authority");
    this.#tokens = join(folder, "tokens");
    this.#sockets = join(folder, "sds");
    this.#joinKey = joinKey;
    this.#clock = clock;
    this.#service = service;
  }

  /** Makes an authority below `folder`. `lifetime` of a certificate in milliseconds; 0: as the authority says. */
  static async create(folder: string, plan: AddressPlan, clock: Clock, lifetime: number): Promise<DemoIdentities> {
    const authority = join(folder, "authority");
    const log = (message: string) => process.stderr.write(`${message}\n`);
    const { joinKey } = await AuthorityFolder.open({ folder: authority, trustDomain: TRUST_DOMAIN, clock, log });
    const identities = new DemoIdentities(folder, joinKey, clock, text(plan.pilotSecure), lifetime);
    await mkdir(identities.#tokens, { mode: FOLDER_MODE });
    return identities;
  }

  /** For the sidecar of a workload. */
  settings(workload: DemoWorkload): CertificateSettings {
    const rootFile = join(this.authority, "roots.pem");
    return { authority: this.#service, rootFile, token: this.#tokenFile(workload), lifetime: this.#lifetime };
  }

  /** A token is good for one start: each start gets a new one. */
  async writeToken(workload: DemoWorkload): Promise<void> {
    const claims = {
      namespace: workload.namespace,
      serviceAccount: serviceAccountOf(workload),
      workload: workload.name,
    };
    const tokenFile = this.#tokenFile(workload);
    await writeFile(tokenFile, signJoinToken(this.#joinKey, claims, this.#clock, TOKEN_LIFETIME), { mode: OWNER_ONLY });
    await chmod(tokenFile, OWNER_ONLY);
  }

  /** Where an Envoy beside the workload gets its secrets; short, as the paths of sockets have to be. */
  secretSocket({ name }: DemoWorkload): string {
    return join(this.#sockets, name);
  }

  #tokenFile({ name }: DemoWorkload): string {
    return join(this.#tokens, name);
  }
}
