import { ClientHelloInspector, type Inspection } from "../tls/client-hello.ts";
import type { IncomingConnection } from "../transport/incoming-connection.ts";
import type { MatchFacts } from "./filter-chain-match.ts";
import type { InspectionGate } from "./inspection-gate.ts";

/** What the first bytes of a connection say about it. */
export type FirstFacts = Pick<MatchFacts, "transportProtocol" | "serverName" | "applicationProtocols">;

export const PLAINTEXT: FirstFacts = { transportProtocol: "raw_buffer", serverName: null, applicationProtocols: [] };

/**
 * `envoy.filters.listener.tls_inspector`: looks whether a connection begins with a ClientHello and what that
 * asks for. `silent`: nothing, or too little, came in time. Null: what came is broken, or the client is gone.
 */
export function inspectTls(
  incoming: IncomingConnection,
  timeout: number,
  gate: InspectionGate,
  onFacts: (facts: FirstFacts | "silent" | null) => void,
): void {
  const inspector = new ClientHelloInspector();
  const waiting = gate.enter(incoming);
  let verdict: Inspection = { kind: "incomplete" };
  incoming.inspect(
    timeout,
    (bytes) => {
      verdict = inspector.push(bytes);
      if (verdict.kind !== "incomplete") return true;
      waiting.incomplete(bytes.length);
      return false;
    },
    (end) => {
      waiting.leave();
      onFacts(end === "seen" ? factsOf(verdict) : end === "timeout" ? "silent" : null);
    },
  );
}

function factsOf(verdict: Inspection): FirstFacts | null {
  if (verdict.kind === "plaintext") return PLAINTEXT;
  if (verdict.kind !== "tls") return null;
  return { transportProtocol: "tls", ...verdict.hello };
}
