import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { fetchJson } from "../mesh/http.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { findProxy, type ProxyPlace } from "../mesh/proxies.ts";
import { CLUSTER_HEADER, clusterRows, filterClusters } from "../view/clusters.ts";
import { ConfigDump } from "../view/config-dump.ts";
import {
  ENDPOINT_HEADER,
  type EndpointRow,
  endpointRows,
  endpointsOfClusters,
  endpointsOfDump,
  filterEndpoints,
} from "../view/endpoints.ts";
import { textAt } from "../view/json.ts";
import { filterListeners, LISTENER_HEADER, listenerRows } from "../view/listeners.ts";
import { outputOption, print, render } from "../view/output.ts";
import { ROUTE_HEADER, routeRows } from "../view/routes.ts";
import { renderTable } from "../view/table.ts";
import { port } from "./arguments.ts";
import { addProxyLog } from "./proxy-log.ts";

export function addProxyConfig(program: Command): void {
  const group = program
    .command("proxy-config")
    .alias("pc")
    .description("the configuration that one proxy uses now")
    .addHelpText(
      "after",
      "\nExamples:\n  mixerless proxy-config listeners reviews-v1\n  mixerless pc routes productpage-v1.default -o json\n  mixerless pc clusters deploy/productpage-v1 --fqdn reviews\n  curl -s 127.0.10.1:15000/config_dump?include_eds > dump.json; mixerless pc endpoints -f dump.json",
    );
  view(group, "listeners", ["listener", "l"], "addresses, what each filter chain matches, where it leads")
    .option("--port <port>", "only this port", port)
    .option("--address <address>", "only this address")
    .option("--type <type>", "only HTTP, TCP or HTTP+TCP")
    .action(async (workload: string | undefined, flags: ViewFlags) => {
      const listeners = filterListeners((await load(workload, flags)).dump.listeners, flags);
      print(flags.output, listeners, () => renderTable(LISTENER_HEADER, listenerRows(listeners)));
    });
  view(group, "routes", ["route", "r"], "virtual hosts and their routes")
    .option("--name <name>", "only this route configuration")
    .action(async (workload: string | undefined, flags: ViewFlags) => {
      const routes = (await load(workload, flags)).dump.routes.filter(
        (config) => flags.name === undefined || textAt(config, "name") === flags.name,
      );
      print(flags.output, routes, () => renderTable(ROUTE_HEADER, routeRows(routes)));
    });
  view(group, "clusters", ["cluster", "c"], "where requests can go")
    .option("--fqdn <name>", "only names that contain this")
    .option("--port <port>", "only this port", port)
    .option("--subset <name>", "only this subset")
    .addOption(new Option("--direction <direction>", "only these").choices(["inbound", "outbound"]))
    .action(async (workload: string | undefined, flags: ViewFlags) => {
      const clusters = filterClusters((await load(workload, flags)).dump.clusters, flags);
      print(flags.output, clusters, () => renderTable(CLUSTER_HEADER, clusterRows(clusters)));
    });
  view(group, "endpoints", ["endpoint", "ep"], "the hosts behind each cluster, and their health")
    .option("--cluster <name>", "only this cluster")
    .option("--port <port>", "only this port", port)
    .option("--address <address>", "only this address")
    .option("--status <status>", "only healthy, unhealthy, draining or degraded")
    .action(async (workload: string | undefined, flags: ViewFlags) => {
      const endpoints = filterEndpoints(await endpointsOf(await load(workload, flags)), flags);
      print(flags.output, endpoints, () => renderTable(ENDPOINT_HEADER, endpointRows(endpoints)));
    });
  view(group, "bootstrap", ["b"], "what the proxy was started with (JSON; -o short: versions)").action(
    async (workload: string | undefined, flags: ViewFlags, command: Command) => {
      const { bootstrap } = (await load(workload, flags)).dump;
      const format = command.getOptionValueSource("output") === "default" ? "json" : flags.output;
      const node = (name: string) => textAt(bootstrap, "node", ...name.split("."));
      print(
        format,
        bootstrap,
        () => `Istio Version: ${node("metadata.ISTIO_VERSION")}\nProxy: ${node("user_agent_name")}\n`,
      );
    },
  );
  view(group, "all", [], "everything above, one after another").action(
    async (workload: string | undefined, flags: ViewFlags) => {
      const loaded = await load(workload, flags);
      const { dump } = loaded;
      const endpoints = await endpointsOf(loaded);
      const sections: [string, string][] = [
        ["CLUSTER", renderTable(CLUSTER_HEADER, clusterRows(dump.clusters))],
        ["LISTENER", renderTable(LISTENER_HEADER, listenerRows(dump.listeners))],
        ["ROUTE", renderTable(ROUTE_HEADER, routeRows(dump.routes))],
        ["ENDPOINT", renderTable(ENDPOINT_HEADER, endpointRows(endpoints))],
      ];
      process.stdout.write(
        render(flags.output, dump.raw, () =>
          sections.map(([name, table]) => `------ ${name} INFO ------\n${table}`).join("\n"),
        ),
      );
    },
  );
  addProxyLog(group);
}

interface ViewFlags {
  readonly namespace?: string;
  readonly pilot?: string;
  readonly file?: string;
  readonly output: string;
  readonly port?: number;
  readonly address?: string;
  readonly type?: string;
  readonly name?: string;
  readonly fqdn?: string;
  readonly subset?: string;
  readonly direction?: string;
  readonly cluster?: string;
  readonly status?: string;
}

interface Loaded {
  readonly dump: ConfigDump;
  /** Null when a file was read. */
  readonly place: ProxyPlace | null;
}

function view(group: Command, name: string, aliases: readonly string[], description: string): Command {
  return group
    .command(name)
    .aliases(aliases)
    .description(description)
    .argument("[workload]", "name, name.namespace or kind/name.namespace")
    .option("-n, --namespace <namespace>", "namespace of the workload")
    .option("-f, --file <path>", "a saved config_dump in place of a running proxy")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption());
}

async function load(workload: string | undefined, flags: ViewFlags): Promise<Loaded> {
  if (flags.file !== undefined) return { dump: new ConfigDump(await readDump(flags.file)), place: null };
  if (workload === undefined) throw new CommandError("Name a workload, or a saved config_dump with --file.", 2);
  const pilot = new PilotClient(await findPilot(flags.pilot, process.env));
  const place = await findProxy(pilot, workload, flags.namespace);
  return { dump: new ConfigDump(await fetchJson<unknown>(`${place.admin}/config_dump?include_eds`)), place };
}

async function readDump(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new CommandError(`${path} cannot be read: ${error.message}.`);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CommandError(`${path} is not JSON: ${(error as Error).message}. Save /config_dump?include_eds there.`);
  }
}

async function endpointsOf({ dump, place }: Loaded): Promise<EndpointRow[]> {
  if (place === null) return endpointsOfDump(dump.endpoints);
  return endpointsOfClusters(await fetchJson<unknown>(`${place.admin}/clusters?format=json`));
}
