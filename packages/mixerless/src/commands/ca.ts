import { SystemClock } from "@mixerless/clock";
import { signOperator } from "@mixerless/identity";
import { readJoinKey } from "@mixerless/identity/authority";
import { type Command, Option } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchJson, fetchPage } from "../mesh/http.ts";
import { runningMeshes, stateFolder } from "../mesh/state-file.ts";
import { outputOption, print } from "../view/output.ts";
import { type RootsPage, renderRoots } from "../view/roots.ts";
import { duration } from "./arguments.ts";

const MINUTE = 60_000;
/** Milliseconds between two looks whether the next step may be taken. */
const LOOK_INTERVAL = 500;

export function addCa(program: Command): void {
  const ca = program.command("ca").description("the mesh's signing authority: its roots, and their change");
  ca.command("status")
    .description("which roots are trusted, which one signs, and how far a change of them is")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .action(async ({ pilot, output }: StatusFlags) => {
      const page = await fetchJson<RootsPage>(`${await findPilot(pilot, process.env)}/debug/caz`);
      print(output, page, () => renderRoots(page, new SystemClock().now()));
    });
  ca.command("rotate-root")
    .description("replace the root that signs, without a refused request")
    .argument("[step]", "one step alone: add (a new root is trusted), issue (it signs), drop (the old one is refused)")
    .option("--force", "do not wait for proxies that are behind or for certificates under the old root")
    .addOption(
      new Option("--wait <time>", "how long to wait for each step").argParser(duration).default(10 * MINUTE, "10m"),
    )
    .option("--authority <folder>", "the folder of the signing authority (default: that of the mesh that runs here)")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addHelpText(
      "after",
      "\nWithout a step it takes all that are left, each as soon as it is safe. What has been done is kept: when it\nwas interrupted, run it again. Only who can read the authority's folder may.\n\nExamples:\n  mixerless ca rotate-root\n  mixerless ca rotate-root add && mixerless ca status",
    )
    .action(async (step: string | undefined, flags: RotateFlags) => {
      if (step !== undefined && !isStep(step))
        throw new CommandError(`"${step}" is no step. Give add, issue, drop, or nothing for all that are left.`, 2);
      const pilot = await findPilot(flags.pilot, process.env);
      const rotation = new Rotation(pilot, await readJoinKey(await authorityOf(pilot, flags.authority)), flags);
      if (step !== undefined) return rotation.take(step);
      const { next } = await fetchJson<RootsPage>(`${pilot}/debug/caz`);
      for (const one of STEPS.slice(STEPS.indexOf(next ?? "add"))) await rotation.take(one);
    });
}

const STEPS = ["add", "issue", "drop"] as const;
type Step = (typeof STEPS)[number];

interface StatusFlags {
  readonly pilot?: string;
  readonly output: string;
}

interface RotateFlags {
  readonly force?: true;
  readonly wait: number;
  readonly authority?: string;
  readonly pilot?: string;
}

function isStep(text: string): text is Step {
  return STEPS.some((step) => step === text);
}

async function authorityOf(pilot: string, flag: string | undefined): Promise<string> {
  const mesh = (await runningMeshes(stateFolder(process.env))).find((one) => one.pilot === pilot);
  const folder = flag ?? mesh?.authority;
  if (folder !== undefined) return folder;
  throw new CommandError(`Where the authority of ${pilot} is kept is not known here. Name it with --authority FOLDER.`);
}

/** Asks the control plane for one step after the other. */
class Rotation {
  readonly #pilot: string;
  readonly #key: Uint8Array;
  readonly #flags: RotateFlags;
  readonly #clock = new SystemClock();

  constructor(pilot: string, key: Uint8Array, flags: RotateFlags) {
    this.#pilot = pilot;
    this.#key = key;
    this.#flags = flags;
  }

  /** Takes a step, as soon as it is safe. Rejects with what is in the way when that takes too long. */
  async take(step: Step): Promise<void> {
    const deadline = this.#clock.monotonic() + this.#flags.wait;
    let told = "";
    for (;;) {
      const { status, body } = await this.#ask(step);
      if (status === 200) return this.#tell(step, JSON.parse(body) as RootsPage);
      const { error, waiting } = await this.#why(step, body);
      if (!waiting || this.#clock.monotonic() >= deadline) throw new CommandError(error);
      if (error !== told) process.stderr.write(`${error}\n`);
      told = error;
      await new Promise<void>((wake) => setTimeout(wake, LOOK_INTERVAL));
    }
  }

  #ask(step: Step) {
    const force = this.#flags.force === true;
    const proof = signOperator(this.#key, `roots ${step}${force ? " force" : ""}`, this.#clock);
    const query = `stage=${step}${force ? "&force=true" : ""}`;
    return fetchPage(`${this.#pilot}/debug/caz/rotate?${query}`, "POST", { authorization: `Bearer ${proof}` });
  }

  /** Whether patience helps: the step is the next one, and somebody has to be waited for. */
  async #why(step: Step, body: string): Promise<{ error: string; waiting: boolean }> {
    const { next } = await fetchJson<RootsPage>(`${this.#pilot}/debug/caz`);
    try {
      const { error, code } = JSON.parse(body) as { error: string; code?: string };
      return { error, waiting: code === "too-early" && next === step };
    } catch {
      return { error: body.trim(), waiting: false };
    }
  }

  #tell(step: Step, { roots }: RootsPage): void {
    const name = (role: string) => roots.find((root) => root.role === role)?.fingerprint.slice(0, 16) ?? "";
    const done = {
      add: `add: the new root ${name("next")} is trusted beside ${name("signs")}.`,
      issue: `issue: ${name("signs")} signs from now on; workloads renew their certificates.`,
      drop: `drop: only ${name("signs")} is trusted; what an older root signed is refused.`,
    };
    process.stdout.write(`${done[step]}\n`);
  }
}
