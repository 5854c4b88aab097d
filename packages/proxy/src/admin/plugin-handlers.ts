import type { AdminAnswer, AdminHandler } from "@mixerless/admin-server";
import type { ExtensionHost } from "../extension-host/extension-host.ts";
import type { PluginLine } from "../wasm/plugin-lines.ts";
import type { PluginReport } from "../wasm/plugin-status.ts";

/** Wasm plugins, which Envoy's admin interface does not show. */
export function pluginHandlers(plugins: Pick<ExtensionHost, "pluginReports" | "pluginLines">): AdminHandler[] {
  return [
    {
      ...{ path: "/plugins", help: "Wasm plugins: state, digest, calls, traps, last error", mutates: false },
      handle: () => pluginsAnswer(plugins.pluginReports()),
    },
    {
      ...{ path: "/plugin_logs", help: "the last lines of a Wasm plugin's log (plugin=<name>)", mutates: false },
      handle: (query) => {
        const name = query.get("plugin") ?? "";
        const lines = plugins.pluginLines(name);
        if (lines !== null) return linesAnswer(lines);
        const known = plugins.pluginReports();
        if (known.some((report) => report.name === name)) return linesAnswer([]);
        const names = [...new Set(known.map((report) => report.name))].join(", ") || "none";
        return { status: 404, body: `There is no plugin "${name}" here; there is ${names}.\n` };
      },
    },
  ];
}

export function pluginsAnswer(plugins: readonly PluginReport[]): AdminAnswer {
  return json({ plugins });
}

export function linesAnswer(lines: readonly PluginLine[]): AdminAnswer {
  return json({ lines });
}

function json(value: unknown): AdminAnswer {
  return { body: `${JSON.stringify(value, null, 1)}\n`, contentType: "application/json" };
}
