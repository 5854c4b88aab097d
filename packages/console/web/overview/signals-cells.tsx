import type { Signals } from "../../src/api.ts";
import { healthOf } from "../parts/health.ts";
import { bytesPerSecond, count, milliseconds, NONE, rate, share } from "../parts/numbers.ts";
import { useText } from "../parts/settings.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import type { TextKey } from "../text/en.ts";

/** The columns of numbers that every row of traffic has. */
export const SIGNAL_COLUMNS: readonly TextKey[] = [
  ...(["rate", "success", "p50", "p90", "p99", "bytesIn", "bytesOut", "tcp", "mutualTls", "history"] as const),
];

export function SignalsCells({ signals }: { readonly signals: Signals }) {
  const text = useText();
  const health = healthOf(signals);
  return (
    <>
      <td className="number">{rate(signals.rps)}</td>
      <td className="number">
        <span className={`dot ${health}`} role="img" aria-label={text(health)} /> {share(signals.success)}
      </td>
      <td className="number">{milliseconds(signals.p50)}</td>
      <td className="number">{milliseconds(signals.p90)}</td>
      <td className="number">{milliseconds(signals.p99)}</td>
      <td className="number">{bytesPerSecond(signals.bytesIn)}</td>
      <td className="number">{bytesPerSecond(signals.bytesOut)}</td>
      <td className="number">{signals.tcpConnections === 0 ? NONE : count(signals.tcpConnections)}</td>
      <td className="number">{share(signals.mutualTls)}</td>
      <td>
        <Sparkline values={signals.history} label={`${text("history")}: ${text("rate")}`} />
      </td>
    </>
  );
}
