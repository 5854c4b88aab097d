import { useState } from "react";
import type { ConfigurationObject, ConfigurationPage } from "../../src/api.ts";
import { Loaded } from "../parts/loaded.tsx";
import { useText } from "../parts/settings.tsx";
import { Table } from "../parts/table.tsx";
import { usePage } from "../parts/use-page.ts";
import { ProxyTable } from "./proxy-table.tsx";

export function ConfigurationView() {
  const text = useText();
  const answer = usePage<ConfigurationPage>("/api/configuration");
  return (
    <>
      <h1>{text("configuration")}</h1>
      <Loaded answer={answer}>
        {(page) => (
          <>
            <section className="card">
              <h2>{text("proxies")}</h2>
              <ProxyTable proxies={page.proxies} />
            </section>
            <section className="card">
              <h2>{text("faults")}</h2>
              <Faults page={page} />
            </section>
            <section className="card">
              <h2>{text("objects")}</h2>
              <Objects objects={page.objects} />
            </section>
          </>
        )}
      </Loaded>
    </>
  );
}

function Faults({ page: { faults } }: { readonly page: ConfigurationPage }) {
  const text = useText();
  if (faults.length === 0) return <p className="note">{text("noFaults")}</p>;
  return (
    <Table label={text("faults")} columns={[text("severity"), text("place"), text("message")]}>
      {faults.map(({ severity, code, object, place, message }) => (
        <tr key={`${place} ${code} ${message}`}>
          <td className={severity}>{text(severity === "error" ? "error" : "warning")}</td>
          <td>
            {object}
            <br />
            <code>{place}</code>
          </td>
          <td>
            {message} <code>[{code}]</code>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Objects({ objects }: { readonly objects: readonly ConfigurationObject[] }) {
  const text = useText();
  const [filter, setFilter] = useState("");
  const found = objects.filter(({ kind, name, namespace }) =>
    `${kind} ${namespace}/${name}`.toLowerCase().includes(filter.toLowerCase()),
  );
  return (
    <>
      <label className="filter">
        {text("filter")} <input type="search" value={filter} onChange={({ target }) => setFilter(target.value)} />
      </label>
      {found.length === 0 && <p className="note">{text("noMatch", { text: filter })}</p>}
      {found.map(({ kind, name, namespace, yaml }) => (
        <details key={`${kind} ${namespace}/${name}`}>
          <summary>
            <strong>{kind}</strong> {namespace === "" ? name : `${namespace}/${name}`}
          </summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard. */}
          <pre tabIndex={0}>{yaml}</pre>
        </details>
      ))}
    </>
  );
}
