import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A mesh that runs on this machine, as its control plane writes it down for the other commands. */
export interface RunningMesh {
  readonly pid: number;
  /** URL of the control plane's pages. */
  readonly pilot: string;
  /** Configured paths, to tell meshes apart. */
  readonly config: readonly string[];
  /** Folder of its signing authority; left out where workloads have no certificates. */
  readonly authority?: string;
}

/** The user's folder for state, by the XDG rules. */
export function stateFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const base = environment.XDG_STATE_HOME;
  return join(base === undefined || base === "" ? join(homedir(), ".local", "state") : base, "mixerless");
}

/** Writes the file, for the owner's eyes only; the answer removes it. Without a writable folder there is no file. */
export async function writeStateFile(folder: string, mesh: RunningMesh): Promise<() => Promise<void>> {
  const path = join(folder, `mesh-${mesh.pid}.json`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // A leftover of an earlier process with this number would keep its own mode.
    await rm(path, { force: true });
    await writeFile(path, `${JSON.stringify(mesh)}\n`, { mode: 0o600, flag: "wx" });
  } catch {
    return async () => {};
  }
  return () => rm(path, { force: true });
}

/** The meshes that run now. Files whose process is gone are removed. */
export async function runningMeshes(folder: string): Promise<RunningMesh[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const found: RunningMesh[] = [];
  for (const name of names.sort()) {
    if (!/^mesh-\d+\.json$/.test(name)) continue;
    const path = join(folder, name);
    const mesh = parse(await readFile(path, "utf8").catch(() => ""));
    if (mesh !== null && isAlive(mesh.pid)) found.push(mesh);
    else await rm(path, { force: true }).catch(() => {});
  }
  return found;
}

function parse(text: string): RunningMesh | null {
  try {
    const value = JSON.parse(text) as Partial<RunningMesh> | null;
    const { pid, pilot, config, authority } = value ?? {};
    if (!Number.isInteger(pid) || typeof pilot !== "string" || !Array.isArray(config)) return null;
    const where = typeof authority === "string" ? { authority } : {};
    return { pid: pid as number, pilot, config: config.map(String), ...where };
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
