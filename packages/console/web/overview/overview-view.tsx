import { useState } from "react";
import type { TrafficPage } from "../../src/api.ts";
import { Loaded } from "../parts/loaded.tsx";
import { useSettings, useText, WINDOWS } from "../parts/settings.tsx";
import { usePage } from "../parts/use-page.ts";
import type { Selection } from "./selection.ts";
import { SidePanel } from "./side-panel.tsx";
import { TrafficGraph } from "./traffic-graph.tsx";
import { EdgeTable, WorkloadTable } from "./traffic-tables.tsx";
import { whyEmpty } from "./why-empty.ts";

/** Seconds until the second look at the proxies. */
const FIRST_NUMBERS = 10;

export function OverviewView() {
  const text = useText();
  const { window } = useSettings();
  const answer = usePage<TrafficPage>(`/api/traffic?seconds=${window}`);
  const [selection, setSelection] = useState<Selection | null>(null);
  return (
    <>
      <div className="head">
        <h1>{text("overview")}</h1>
        <WindowChoice />
      </div>
      <Loaded answer={answer}>
        {(page) => (
          <>
            <Notices page={page} />
            <div className={selection === null ? "split" : "split open"}>
              <section className="card" aria-label={text("graph")}>
                <h2>{text("graph")}</h2>
                <WhyEmpty page={page} />
                {page.workloads.length > 0 && (
                  <TrafficGraph page={page} selection={selection} onSelect={setSelection} />
                )}
              </section>
              {selection !== null && <SidePanel page={page} selection={selection} onSelect={setSelection} />}
            </div>
            <section className="card">
              <h2>{text("edges")}</h2>
              <EdgeTable page={page} onSelect={setSelection} />
            </section>
            <section className="card">
              <h2>{text("workloads")}</h2>
              <WorkloadTable page={page} onSelect={setSelection} />
            </section>
          </>
        )}
      </Loaded>
    </>
  );
}

function WindowChoice() {
  const text = useText();
  const { window, change } = useSettings();
  return (
    <label>
      {text("window")}{" "}
      <select value={window} onChange={({ target }) => change({ window: Number(target.value) as typeof window })}>
        {WINDOWS.map((seconds) => (
          <option key={seconds} value={seconds}>
            {seconds === 3600 ? text("lastHour") : text("lastMinutes", { n: seconds / 60 })}
          </option>
        ))}
      </select>
    </label>
  );
}

function Notices({ page }: { readonly page: TrafficPage }) {
  const text = useText();
  const { problem, proxies, refused, seconds } = page;
  const unreadable = proxies.filter((proxy) => proxy.problem !== null);
  return (
    <>
      {problem !== null && (
        <p className="notice" role="status">
          {text("noPilot", { reason: problem })}
        </p>
      )}
      {unreadable.map(({ name, problem: reason }) => (
        <p key={name} className="notice" role="status">
          {text("unreadable", { proxy: name, reason: reason ?? "" })}
        </p>
      ))}
      {refused > 0 && <p className="notice">{text("refusedEdges", { n: refused })}</p>}
      <p className="note">
        {text("measuredFor", { seconds: Math.round(seconds), proxies: proxies.length - unreadable.length })}
      </p>
    </>
  );
}

function WhyEmpty({ page }: { readonly page: TrafficPage }) {
  const text = useText();
  const cause = whyEmpty(page);
  if (cause === null) return null;
  return (
    <div className="empty" role="status">
      <p>{text(cause.what, { n: FIRST_NUMBERS })}</p>
      {cause.cure !== null && <p className="note">{text(cause.cure)}</p>}
    </div>
  );
}
