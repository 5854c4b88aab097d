import type { ExtensionState, ExtensionsPage } from "../../src/api.ts";
import { Loaded } from "../parts/loaded.tsx";
import { count, NONE } from "../parts/numbers.ts";
import { useSettings, useText } from "../parts/settings.tsx";
import { Table } from "../parts/table.tsx";
import { usePage } from "../parts/use-page.ts";
import type { TextKey } from "../text/en.ts";

const STATES: Readonly<Record<ExtensionState["state"], TextKey>> = {
  fetching: "fetching",
  compiling: "compiling",
  running: "running",
  failing: "failingPlugin",
  rolled_back: "rolledBack",
  refused: "refusedPlugin",
};
const COLUMNS = ["plugin", "proxy", "state", "since", "module", "calls", "traps", "perCall", "memory"] as const;

/** Which plugin runs where, and how. */
export function ExtensionsView() {
  const text = useText();
  const answer = usePage<ExtensionsPage>("/api/extensions");
  return (
    <>
      <h1>{text("extensions")}</h1>
      <Loaded answer={answer}>
        {(page) => (
          <section className="card">
            {page.extensions.length === 0 ? (
              <div className="empty">
                <p>{text("emptyNoPlugin")}</p>
                <p className="note">{text("emptyNoPluginCure")}</p>
              </div>
            ) : (
              <Table label={text("extensions")} columns={COLUMNS.map((key) => text(key))}>
                {page.extensions.map((extension) => (
                  <ExtensionRow key={`${extension.plugin} ${extension.proxy}`} extension={extension} />
                ))}
              </Table>
            )}
          </section>
        )}
      </Loaded>
    </>
  );
}

function ExtensionRow({ extension }: { readonly extension: ExtensionState }) {
  const text = useText();
  const { language } = useSettings();
  const { plugin, proxy, state, since, digest, source, calls, traps, microsecondsPerCall, memory, fault } = extension;
  return (
    <tr>
      <th scope="row">{plugin}</th>
      <td>{proxy}</td>
      <td className={state}>
        {text(STATES[state])}
        {fault !== "" && <pre className="fault">{fault}</pre>}
      </td>
      <td>
        <time dateTime={new Date(since).toISOString()}>
          {new Date(since).toLocaleTimeString(language === "zh" ? "zh-CN" : "en")}
        </time>
      </td>
      <td title={source}>
        <code>{digest === "" ? NONE : digest.slice(0, 12)}</code>
      </td>
      <td className="number">{count(calls)}</td>
      <td className="number">{count(traps)}</td>
      <td className="number">{calls === 0 ? NONE : `${microsecondsPerCall.toFixed(1)} µs`}</td>
      <td className="number">{memory === 0 ? NONE : `${(memory / 2 ** 20).toFixed(1)} MiB`}</td>
    </tr>
  );
}
