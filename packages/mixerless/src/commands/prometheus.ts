import { type Command, InvalidArgumentError, Option } from "commander";
import { findPilot } from "../mesh/find-pilot.ts";
import { prometheusConfig } from "../prometheus-config.ts";

export function addPrometheus(program: Command): void {
  program
    .command("prometheus")
    .description("work with Prometheus")
    .command("config")
    .description("print a scrape configuration; the control plane tells Prometheus the targets by HTTP")
    .option("--pilot <url>", "control plane's pages (default: those of the mesh that runs here)")
    .addOption(
      new Option("--scrape <kind>", "proxy, agent and application in one scrape, or proxy and application apart")
        .choices(["merged", "split"])
        .default("merged"),
    )
    .option("--interval <time>", "how often to scrape", interval, "15s")
    .addHelpText(
      "after",
      `
One job has the istio_* series: "workloads" (port 15020) when merged, "proxies" (port 15090) when split.
An application is scraped apart when the annotations prometheus.io/scrape, port and path of its workload say so.

Examples:
  mixerless prometheus config > prometheus.yml && prometheus --config.file=prometheus.yml
  mixerless prometheus config --pilot http://127.0.0.1:8080 --scrape split --interval 5s`,
    )
    .action(async (flags: { pilot?: string; scrape: "merged" | "split"; interval: string }) => {
      const pilot = await findPilot(flags.pilot, process.env);
      process.stdout.write(prometheusConfig({ pilot, scrape: flags.scrape, interval: flags.interval }));
    });
}

function interval(text: string): string {
  if (!/^[1-9]\d*(ms|s|m|h)$/.test(text)) throw new InvalidArgumentError("Give a time as Prometheus does: 15s, 1m.");
  return text;
}
