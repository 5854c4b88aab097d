import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBootstrap } from "@mixerless/agent";
import type { Clock } from "@mixerless/clock";
import { prometheusConfig } from "../prometheus-config.ts";
import { type AddressPlan, text } from "./address-plan.ts";
import { DemoIdentities } from "./identities.ts";
import { type MeshChoices, meshFiles } from "./mesh-files.ts";
import { sidecarSettings } from "./processes.ts";

export interface DemoFilesOptions extends MeshChoices {
  readonly clock: Clock;
  /** Milliseconds; 0: as the authority says. */
  readonly certificateLifetime: number;
  readonly istioVersion: string;
  /** Workloads whose sidecar somebody else runs. */
  readonly external: readonly string[];
}

/** What the demo wrote, all in one folder. */
export interface DemoFiles {
  readonly folder: string;
  /** Istio configuration, watched. */
  readonly istio: string;
  readonly prometheus: string;
  /** Where sidecars keep what they need after a restart. */
  readonly state: string;
  /** Bootstraps for Envoy, by workload. */
  readonly bootstraps: ReadonlyMap<string, string>;
  /** Null where everything is in clear. */
  readonly identities: DemoIdentities | null;
}

/** Often enough for somebody who watches a demo. */
const SCRAPING = { scrape: "merged", interval: "5s" } as const;

/** Writes everything into a new folder. */
export async function writeDemoFiles(plan: AddressPlan, options: DemoFilesOptions): Promise<DemoFiles> {
  const folder = await mkdtemp(join(tmpdir(), "mixerless-demo-"));
  const istio = join(folder, "config");
  const state = join(folder, "state");
  const prometheus = join(folder, "prometheus.yml");
  await mkdir(istio);
  await writeFile(prometheus, prometheusConfig({ pilot: `http://${text(plan.pilotHttp)}`, ...SCRAPING }));
  for (const { name, content } of meshFiles(plan, options)) await writeFile(join(istio, name), content);
  const identities =
    options.mtls === "off"
      ? null
      : await DemoIdentities.create(folder, plan, options.clock, options.certificateLifetime);
  const bootstraps = new Map<string, string>();
  for (const entry of plan.workloads.filter(({ workload }) => options.external.includes(workload.name))) {
    const path = join(folder, `${entry.workload.name}-bootstrap.json`);
    const { identity, addresses } = sidecarSettings(plan, entry, options.istioVersion, state, identities);
    const secrets = identities === null ? {} : { secretSocket: identities.secretSocket(entry.workload) };
    const bootstrap = createBootstrap(identity, { ...addresses, ...secrets }, {}, "envoy");
    await writeFile(path, `${JSON.stringify(bootstrap, null, 2)}\n`);
    bootstraps.set(entry.workload.name, path);
  }
  return { folder, istio, prometheus, state, bootstraps, identities };
}
