import type { ProxyState, SyncState } from "../../src/api.ts";
import { NONE } from "../parts/numbers.ts";
import { useSettings, useText } from "../parts/settings.tsx";
import { Table } from "../parts/table.tsx";
import type { TextKey } from "../text/en.ts";

const TYPES = ["CDS", "LDS", "EDS", "RDS", "ECDS"];
const STATES: Readonly<Record<string, TextKey>> = {
  synced: "synced",
  stale: "stale",
  error: "error",
  "not-sent": "not-sent",
};

/** Each proxy, and whether it has what it was sent. */
export function ProxyTable({ proxies }: { readonly proxies: readonly ProxyState[] }) {
  const text = useText();
  const { language } = useSettings();
  if (proxies.length === 0) return <p className="note">{text("emptyNoProxy")}</p>;
  return (
    <Table label={text("proxies")} columns={[text("proxy"), text("version"), text("connectedSince"), ...TYPES]}>
      {proxies.map(({ name, version, connectedAt, types }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td>{version}</td>
          <td>
            <time dateTime={connectedAt}>
              {new Date(connectedAt).toLocaleTimeString(language === "zh" ? "zh-CN" : "en")}
            </time>
          </td>
          {TYPES.map((type) => (
            <SyncCell key={type} sync={types.find((one) => one.type === type) ?? null} />
          ))}
        </tr>
      ))}
    </Table>
  );
}

function SyncCell({ sync }: { readonly sync: SyncState | null }) {
  const text = useText();
  if (sync === null) return <td>{NONE}</td>;
  const known = STATES[sync.state];
  return (
    <td className={sync.state}>
      {known === undefined ? sync.state : text(known)}
      {sync.error !== null && <p className="note">{sync.error}</p>}
    </td>
  );
}
