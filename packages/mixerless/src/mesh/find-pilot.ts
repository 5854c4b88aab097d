import { CommandError } from "./command-error.ts";
import { runningMeshes, stateFolder } from "./state-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** URL of the control plane: the flag, `MIXERLESS_PILOT`, or the one mesh that runs here. */
export async function findPilot(flag: string | undefined, environment: Environment): Promise<string> {
  const given = flag ?? environment.MIXERLESS_PILOT;
  if (given !== undefined && given !== "") return baseUrl(given);
  const meshes = await runningMeshes(stateFolder(environment));
  const [first, ...others] = meshes;
  if (first === undefined) {
    throw new CommandError(
      "No running mesh found. Start one with `mixerless demo` or `mixerless pilot --config DIR`, or name its control plane with --pilot URL.",
    );
  }
  if (others.length === 0) return first.pilot;
  const list = meshes.map(({ pilot, pid, config }) => `  --pilot ${pilot}   (pid ${pid}, ${config.join(", ")})`);
  throw new CommandError(`Several meshes are running. Name one:\n${list.join("\n")}`);
}

/** `http://host:port` of what people type. */
function baseUrl(text: string): string {
  const full = /^https?:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || url.protocol !== "http:" || url.port === "") {
    throw new CommandError(`--pilot "${text}" is no URL such as http://127.0.0.1:8080.`, 2);
  }
  return url.origin;
}
