import { join } from "node:path";
import type { CertificateSettings } from "@mixerless/agent";
import type { Clock } from "@mixerless/clock";
import { signJoinToken } from "@mixerless/identity";
import { AuthorityFolder } from "@mixerless/identity/authority";
import { CommandError } from "../mesh/command-error.ts";
import { runningMeshes } from "../mesh/state-file.ts";

export interface JoiningWorkload {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly workload: string;
}

interface MeshCertificateOptions {
  /** URL of the control plane that is joined, and `host:port` of its TLS port; null: it has none. */
  readonly pilot: string;
  readonly secure: string | null;
  /** Where running meshes are written down. */
  readonly stateFolder: string;
  readonly workload: JoiningWorkload;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

const TOKEN_LIFETIME = 600_000;

/**
 * How a workload that joins gets its certificate: whoever may read the authority of a mesh on this machine may also
 * name its workloads. Undefined where the mesh has none.
 */
export async function meshCertificate(options: MeshCertificateOptions): Promise<CertificateSettings | undefined> {
  const { pilot, secure, workload, clock, log } = options;
  if (secure === null) return undefined;
  const folder = (await runningMeshes(options.stateFolder)).find((mesh) => mesh.pilot === pilot)?.authority;
  if (folder === undefined)
    throw new CommandError(
      `The mesh of ${pilot} wants certificates, and its authority is not on this machine. Run mixerless agent with --root-file and --token-file instead.`,
      125,
    );
  const { joinKey } = await AuthorityFolder.open({ folder, trustDomain: "", clock, log });
  return {
    authority: secure,
    rootFile: join(folder, "roots.pem"),
    token: () => signJoinToken(joinKey, workload, clock, TOKEN_LIFETIME),
    lifetime: 0,
  };
}
