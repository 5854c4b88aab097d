import type { Command } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchPage } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { findProxy } from "../mesh/proxies.ts";
import { type AuthorizationAnswer, renderAuthorization } from "../view/authorization.ts";
import { outputOption, print } from "../view/output.ts";
import { collect, port } from "./arguments.ts";

export function addAuthz(program: Command): void {
  const authz = program.command("authz").description("explain authorization policies");
  authz
    .command("check")
    .description("whether a call would be allowed, by which rule of which object, file and line")
    .requiredOption("--to <workload>", "who is called: name, name.namespace or kind/name.namespace")
    .option("--from <workload>", "who calls; its address counts")
    .option("--source-ip <address>", "address of the caller, for one outside the mesh")
    .option("--remote-ip <address>", "what x-forwarded-for says as far as it is trusted (default: the caller's)")
    .option("--mtls", "take the caller to prove the identity of --from by its certificate", false)
    .option("--principal <uri>", "take it to prove this one, spiffe://…")
    .option("--port <port>", "port that the workload listens on (default: its first)", port)
    .option("--method <method>", "of the request (default: GET)")
    .option("--path <path>", "of the request, after normalisation (default: /)")
    .option("--host <host>", "of the request (default: the workload's name)")
    .option("--header <name:value>", "of the request; may be repeated", collect, [])
    .option("--sni <name>", "that the caller's TLS names")
    .option("-n, --namespace <namespace>", "where to look for workloads without one")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Asks the control plane, which evaluates the rules that it sends to the called proxy. Without --mtls or --principal the
call is taken for plaintext, which proves no identity.

Examples:
  mixerless authz check --from reviews-v1 --to ratings-v1 --path /ratings/0
  mixerless authz check --source-ip 10.1.2.3 --to productpage-v1 --method POST --path /login --header 'x-user: ann'
  mixerless authz check --from reviews-v1 --to ratings-v1 --mtls -o json | jq .allowed`,
    )
    .action(async (flags: CheckFlags) => {
      if (flags.from === undefined && flags.sourceIp === undefined)
        throw new CommandError("Say who calls: --from WORKLOAD or --source-ip ADDRESS.", 2);
      if (flags.mtls && flags.from === undefined)
        throw new CommandError("--mtls needs --from WORKLOAD, whose identity it is.", 2);
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const query = await queryOf(pilot, flags);
      const answer = await ask(pilot, query);
      print(flags.output, answer, () => renderAuthorization(answer));
    });
}

interface CheckFlags {
  readonly to: string;
  readonly from?: string;
  readonly sourceIp?: string;
  readonly remoteIp?: string;
  readonly mtls: boolean;
  readonly principal?: string;
  readonly port?: number;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly header: readonly string[];
  readonly sni?: string;
  readonly namespace?: string;
  readonly pilot?: string;
  readonly output: string;
}

async function ask(pilot: PilotClient, query: URLSearchParams): Promise<AuthorizationAnswer> {
  const { status, body } = await fetchPage(`${pilot.url}/debug/authorizationz?${query}`);
  if (status !== 200 && status !== 400) throw new CommandError(`${pilot.url} answers ${status}: ${body.slice(0, 500)}`);
  const answer = JSON.parse(body) as AuthorizationAnswer | { readonly error: string };
  if ("error" in answer) throw new CommandError(answer.error, 2);
  return answer;
}

async function queryOf(pilot: PilotClient, flags: CheckFlags): Promise<URLSearchParams> {
  const query = new URLSearchParams();
  query.set("to", (await findProxy(pilot, flags.to, flags.namespace)).key);
  if (flags.from !== undefined) query.set("from", (await findProxy(pilot, flags.from, flags.namespace)).key);
  if (flags.mtls) query.set("mtls", "");
  if (flags.port !== undefined) query.set("port", String(flags.port));
  for (const name of ["sourceIp", "remoteIp", "principal", "method", "path", "host", "sni"] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  for (const header of flags.header) query.append("header", header);
  return query;
}
