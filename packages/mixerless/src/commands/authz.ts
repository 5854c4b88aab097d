import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchPage } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { findProxy } from "../mesh/proxies.ts";
import { type AuthorizationAnswer, renderAuthorization } from "../view/authorization.ts";
import { outputOption, print } from "../view/output.ts";
import { renderWhoCan, type WhoCanAnswer } from "../view/who-can.ts";
import { collect, port } from "./arguments.ts";

export function addAuthz(program: Command): void {
  const authz = program.command("authz").description("explain authorization policies");
  authz
    .command("check")
    .description("whether a call would be allowed, by which rule of which object, file and line")
    .requiredOption("--to <workload>", "who is called: name, name.namespace or kind/name.namespace")
    .option("--from <caller>", "who calls: a workload, as its proxy would, or spiffe://… of a certificate")
    .option("--source-ip <address>", "address of the caller, for one outside the mesh")
    .option("--remote-ip <address>", "what x-forwarded-for says as far as it is trusted (default: the caller's)")
    .option("--mtls", "take the caller to prove the identity of --from by its certificate", false)
    .option("--plaintext", "take it to speak plaintext, past its proxy", false)
    .option("--subset <name>", "of the DestinationRule, as routes choose it (default: none)")
    .option("--principal <uri>", "take it to prove this one, spiffe://…")
    .option("--port <port>", "port that the workload listens on (default: its first)", port)
    .option("--method <method>", "of the request (default: GET)")
    .option("--path <path>", "of the request, after normalisation (default: /)")
    .option("--host <host>", "of the request (default: the workload's name)")
    .option("--header <name:value>", "of the request; may be repeated", collect, [])
    .option("--jwt <token>", "bearer token of the request, or a file that holds it")
    .option("--sni <name>", "that the caller's TLS names")
    .option("-n, --namespace <namespace>", "where to look for workloads without one")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Asks the control plane, which evaluates the rules that it sends to the called proxy. A workload calls as its proxy does:
by mutual TLS where both ends have certificates, or as a DestinationRule says. Who is outside proves no identity.

Examples:
  mixerless authz check --from reviews-v1 --to ratings-v1 --path /ratings/0
  mixerless authz check --source-ip 10.1.2.3 --to productpage-v1 --method POST --path /login --header 'x-user: ann'
  mixerless authz check --from reviews-v1 --to ratings-v1 --plaintext -o json | jq .allowed
  mixerless authz check --from spiffe://cluster.local/ns/default/sa/reviews --to ratings-v1 --jwt ./token`,
    )
    .action(async (flags: CheckFlags) => {
      if (flags.from === undefined && flags.sourceIp === undefined)
        throw new CommandError("Say who calls: --from WORKLOAD or --source-ip ADDRESS.", 2);
      if (flags.mtls && flags.from === undefined)
        throw new CommandError("--mtls needs --from WORKLOAD, whose identity it is.", 2);
      if (flags.plaintext && (flags.mtls || flags.principal !== undefined || flags.from?.startsWith("spiffe://")))
        throw new CommandError("--plaintext proves no identity: leave out --mtls, --principal and spiffe://….", 2);
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const query = await queryOf(pilot, flags);
      const jwt = flags.jwt === undefined ? null : readToken(flags.jwt);
      const answer = await ask<AuthorizationAnswer>(pilot, "/debug/authorizationz", query, jwt);
      print(flags.output, answer, () => renderAuthorization(answer));
    });
  addWhoCan(authz);
}

function addWhoCan(authz: Command): void {
  authz
    .command("who-can <workload>")
    .description("who may call the ports of a workload, by which rule of which object, file and line")
    .option("-n, --namespace <namespace>", "where to look for a workload without one")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Rules that cannot concern a port, or cannot be asked of connections that carry no requests, are left out. How much of it
holds for one call, authz check tells.

Example:
  mixerless authz who-can ratings-v1`,
    )
    .action(async (workload: string, flags: Pick<CheckFlags, "namespace" | "pilot" | "output">) => {
      const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
      const query = new URLSearchParams({ to: (await findProxy(pilot, workload, flags.namespace)).key });
      const answer = await ask<WhoCanAnswer>(pilot, "/debug/whocanz", query, null);
      print(flags.output, answer, () => renderWhoCan(answer));
    });
}

/** A token is three parts with dots between; anything else is taken for the name of a file. */
function readToken(given: string): string {
  if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(given)) return given;
  try {
    return readFileSync(given, "utf8").trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "an error";
    throw new CommandError(`--jwt is no token, and no file that can be read (${code}).`, 2);
  }
}

interface CheckFlags {
  readonly to: string;
  readonly from?: string;
  readonly sourceIp?: string;
  readonly remoteIp?: string;
  readonly mtls: boolean;
  readonly plaintext: boolean;
  readonly subset?: string;
  readonly principal?: string;
  readonly port?: number;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly header: readonly string[];
  readonly jwt?: string;
  readonly sni?: string;
  readonly namespace?: string;
  readonly pilot?: string;
  readonly output: string;
}

async function ask<Answer extends object>(
  pilot: PilotClient,
  path: string,
  query: URLSearchParams,
  jwt: string | null,
): Promise<Answer> {
  const headers: Record<string, string> = jwt === null ? {} : { "x-mixerless-jwt": jwt };
  const { status, body } = await fetchPage(`${pilot.url}${path}?${query}`, "GET", headers);
  if (status !== 200 && status !== 400) throw new CommandError(`${pilot.url} answers ${status}: ${body.slice(0, 500)}`);
  const answer = JSON.parse(body) as Answer | { readonly error: string };
  if ("error" in answer) throw new CommandError(answer.error, 2);
  return answer;
}

async function callerOf(pilot: PilotClient, from: string, namespace: string | undefined): Promise<string> {
  return from.startsWith("spiffe://") ? from : (await findProxy(pilot, from, namespace)).key;
}

async function queryOf(pilot: PilotClient, flags: CheckFlags): Promise<URLSearchParams> {
  const query = new URLSearchParams();
  query.set("to", (await findProxy(pilot, flags.to, flags.namespace)).key);
  if (flags.from !== undefined) query.set("from", await callerOf(pilot, flags.from, flags.namespace));
  if (flags.mtls) query.set("mtls", "");
  if (flags.plaintext) query.set("plaintext", "");
  if (flags.port !== undefined) query.set("port", String(flags.port));
  for (const name of ["sourceIp", "remoteIp", "principal", "method", "path", "host", "sni", "subset"] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  for (const header of flags.header) query.append("header", header);
  return query;
}
