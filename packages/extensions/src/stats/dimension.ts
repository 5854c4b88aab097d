import { ExpressionHandle, parseAttributePath, parseTextLiteral, RootContext, StreamContext } from "@mixerless/sdk";
import { Peer } from "../peer/peer.ts";
import { DOWNSTREAM_PEER, UPSTREAM_PEER } from "../peer/peer-states.ts";

const UNKNOWN: string = "unknown";

/**
 * The value of a label or of a custom metric that configuration describes by an expression. Constants and fields of a
 * peer are answered here, everything else by the host.
 */
export class Dimension {
  readonly text: string;
  private readonly constant: string | null;
  private readonly expression: ExpressionHandle | null;
  /** The filter state of the peer, or empty. */
  private readonly peer: string;
  private readonly field: string;
  /** Whether the field is a label of the peer. */
  private readonly label: boolean;

  constructor(text: string, constant: string | null, expression: ExpressionHandle | null, path: string[]) {
    this.text = text;
    this.constant = constant;
    this.expression = expression;
    this.peer = path.length > 0 ? path[0]! : "";
    this.label = path.length > 2;
    this.field = path.length > 0 ? path[path.length - 1]! : "";
  }

  /** Whether the value depends on more than the peers. */
  get isExpression(): boolean {
    return this.expression !== null;
  }

  /** The host's answer for this stream; null for constants and peer fields, and where evaluation fails. */
  evaluate(stream: StreamContext): string | null {
    const expression = this.expression;
    return expression === null ? null : stream.evaluate(expression);
  }

  /** The value; `evaluated` is what {@link evaluate} gave. Null: there is none. */
  value(evaluated: string | null, downstream: Peer | null, upstream: Peer | null): string | null {
    if (this.expression !== null) return evaluated;
    if (this.constant !== null) return this.constant;
    const peer = this.peer === DOWNSTREAM_PEER ? downstream : upstream;
    if (peer === null) return null;
    if (!this.label) return peer.field(this.field);
    const label = peer.label(this.field);
    return label.length > 0 ? label : null;
  }

  /** As {@link value}, with what upstream shows where there is none. */
  labelValue(evaluated: string | null, downstream: Peer | null, upstream: Peer | null): string {
    const value = this.value(evaluated, downstream, upstream);
    return value === null ? UNKNOWN : value;
  }
}

/** Null: the text does not parse. */
export function createDimension(root: RootContext, text: string): Dimension | null {
  const literal = parseTextLiteral(text);
  if (literal !== null) return new Dimension(text, literal, null, []);
  if (isWholeNumber(text.trim())) return new Dimension(text, text.trim(), null, []);
  const path = peerPath(parseAttributePath(text));
  if (path.length > 0) return new Dimension(text, null, null, path);
  const expression = root.expression(text);
  return expression === null ? null : new Dimension(text, null, expression, []);
}

/**
 * `[state, field]` or `[state, "labels", name]` if the path leads into a peer: `filter_state.upstream_peer.workload`, or
 * in the Wasm-era form `upstream_peer.labels['role'].value`. Else empty.
 */
function peerPath(path: string[] | null): string[] {
  if (path === null) return [];
  const rest = path[0]! === "filter_state" ? path.slice(1) : path;
  if (rest.length < 2 || (rest[0]! !== DOWNSTREAM_PEER && rest[0]! !== UPSTREAM_PEER)) return [];
  if (rest[1]! !== "labels") return rest.length === 2 ? rest : [];
  if (rest.length === 4 && rest[3]! === "value") return rest.slice(0, 3);
  return rest.length === 3 ? rest : [];
}

function isWholeNumber(text: string): boolean {
  for (let i: i32 = 0; i < text.length; i++) {
    const code: i32 = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return text.length > 0 && text.length <= 15 && (text.length === 1 || text.charAt(0) !== "0");
}
