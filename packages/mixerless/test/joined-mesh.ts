import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseExposition } from "@mixerless/metrics";
import { fetchPage } from "./fetch-page.ts";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const FIXTURES = fileURLToPath(new URL("./fixtures/", import.meta.url));

const STRICT = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`;

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of a user, while it runs. */
export class Running {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ran>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = once(child, "close").then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Resolves with the match when standard error says so; rejects when the command ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until("stderr", pattern);
  }

  /** The same of standard output. */
  prints(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until("stdout", pattern);
  }

  async #until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      const event = await Promise.race([once(this.child[stream] as NodeJS.ReadableStream, "data"), this.ended]);
      if ("code" in event && pattern.exec(this[stream]) === null)
        throw new Error(`The command ended without saying ${pattern}:\n${this.stderr}`);
    }
  }
}

/** A control plane without configuration, and commands that find it by themselves. */
export class JoinedMesh {
  readonly folder: string;
  readonly pilot: string;
  readonly #commands: Running[] = [];

  private constructor(folder: string, pilot: string) {
    this.folder = folder;
    this.pilot = pilot;
  }

  /** `secured`: the control plane issues certificates and all workloads take mutual TLS only. */
  static async start({ secured = false } = {}): Promise<JoinedMesh> {
    const folder = await mkdtemp(join(tmpdir(), "mixerless-joined-"));
    const [http, grpc, secure] = await Promise.all([freePort(), freePort(), freePort()]);
    const mesh = new JoinedMesh(folder, `http://127.0.0.1:${http}`);
    const config = join(folder, "istio");
    await mkdir(config);
    if (secured) await writeFile(join(config, "strict.yaml"), STRICT);
    const pilot = mesh.command(
      "pilot",
      "--config",
      config,
      "--http",
      `127.0.0.1:${http}`,
      "--grpc",
      `127.0.0.1:${grpc}`,
      ...(secured ? ["--authority", join(folder, "authority"), "--secure-grpc", `127.0.0.1:${secure}`] : []),
    );
    const answers = () => fetchPage(`${mesh.pilot}/ready`).catch(() => ({ status: 0 }));
    while ((await answers()).status !== 200) if (pilot.child.exitCode !== null) throw new Error(pilot.stderr);
    return mesh;
  }

  /** Starts a command of the product. */
  command(...parameters: string[]): Running {
    const child = spawn(process.execPath, [COMMAND, ...parameters], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_STATE_HOME: this.folder, MIXERLESS_PILOT: "" },
    });
    const running = new Running(child);
    this.#commands.push(running);
    return running;
  }

  /** Runs a command to its end. */
  run(...parameters: string[]): Promise<Ran> {
    return this.command(...parameters).ended;
  }

  /** Joins a program; resolves with the command and the workload's addresses. */
  async join(...parameters: string[]): Promise<{ running: Running; inbound: string; admin: string; status: string }> {
    const running = this.command("run", ...parameters);
    const [, inbound = "", admin = ""] = await running.says(/has joined: .* at ([\d.]+:\d+);.*admin (http:\S+)\./);
    return { running, inbound, admin, status: admin.replace(/:15000$/, ":15020") };
  }

  /** What the control plane shows of a joined workload. */
  async joined(name: string): Promise<object | undefined> {
    const { body } = await fetchPage(`${this.pilot}/debug/joinz`);
    return (JSON.parse(body) as { name: string }[]).find((entry) => entry.name === name);
  }

  /** Where callers of a service are sent. */
  async endpoints(service: string): Promise<string[]> {
    const { body } = await fetchPage(`${this.pilot}/debug/registryz`);
    const services = JSON.parse(body) as { hostname: string; ports: { endpoints: { address: string }[] }[] }[];
    const found = services.find(({ hostname }) => hostname === `${service}.default.svc.cluster.local`);
    return (found?.ports ?? []).flatMap(({ endpoints }) => endpoints.map(({ address }) => address));
  }

  async stop(): Promise<void> {
    const [pilot, ...others] = this.#commands;
    for (const { child } of others) child.kill("SIGTERM");
    await Promise.all(others.map(({ ended }) => ended));
    pilot?.child.kill("SIGTERM");
    await pilot?.ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function fixture(name: string): string {
  return join(FIXTURES, name);
}

/** Compiles the static program; null where there is no compiler or no static library. */
export function compilePrices(folder: string): string | null {
  const program = join(folder, "prices");
  try {
    execFileSync("cc", ["-O1", "-static", "-o", program, fixture("prices.c")], { stdio: "ignore" });
    return program;
  } catch {
    return null;
  }
}

export function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** `reporter source → destination` → requests, over the sidecars given. */
export async function requestTotals(admins: readonly string[]): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const admin of admins) {
    const parsed = parseExposition((await fetchPage(`${admin}/stats/prometheus`)).body);
    if (!("samples" in parsed)) throw new Error(JSON.stringify(parsed));
    for (const { name, labels, value } of parsed.samples) {
      if (name !== "istio_requests_total") continue;
      const { reporter, source_workload, destination_workload, response_code } = labels as Record<string, string>;
      const key = `${reporter} ${source_workload} → ${destination_workload} ${response_code}`;
      totals[key] = (totals[key] ?? 0) + value;
    }
  }
  return totals;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
