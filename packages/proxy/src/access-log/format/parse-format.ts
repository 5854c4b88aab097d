import type { ConfigFault } from "../../network/config-fault.ts";
import type { Operator, OperatorTable, ParsedFormat, Segment } from "./operator.ts";

/** An expression has brackets of its own: it ends where its operator does. */
const EXPRESSION = /%(CEL|TYPED_CEL)\((.*?)\)(?::(\d+))?%/sy;
const OPERATOR = /%(?:([A-Z0-9_]+)(?:\(((?:[^()]|\([^()]*\))*)\))?(?::(\d+))?)?%/y;

/**
 * Splits a format into literal text and operators [telemetry §6.3]: `%NAME%`, `%NAME(args)%`,
 * `%NAME(args):MAX%`, `%%` for a percent sign. Text becomes a byte string (UTF-8).
 */
export function parseFormat(format: string, operators: OperatorTable, path: string): ParsedFormat {
  const segments: Segment[] = [];
  const faults: ConfigFault[] = [];
  let literal = "";
  let at = 0;
  const endLiteral = () => {
    if (literal !== "") segments.push(toBytes(literal));
    literal = "";
  };
  while (at < format.length) {
    const percent = format.indexOf("%", at);
    if (percent < 0) {
      literal += format.slice(at);
      break;
    }
    literal += format.slice(at, percent);
    const match = matchAt(EXPRESSION, format, percent) ?? matchAt(OPERATOR, format, percent);
    if (match === null) {
      faults.push({
        path,
        message: `"${format.slice(percent, percent + 40)}" is not a format operator; write %% for a percent sign`,
      });
      break;
    }
    at = percent + match[0].length;
    const [whole, name, args, max] = match;
    if (name === undefined) {
      literal += "%";
      continue;
    }
    const read = makeOperator(name, args ?? null, operators);
    if (typeof read === "string") {
      faults.push({ path, message: `${whole}: ${read}` });
      continue;
    }
    endLiteral();
    segments.push({ read, maxLength: max === undefined ? Number.POSITIVE_INFINITY : Number(max) });
  }
  endLiteral();
  return { segments, faults };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function makeOperator(name: string, args: string | null, operators: OperatorTable): Operator | string {
  const factory = Object.hasOwn(operators, name) ? operators[name] : undefined;
  return factory === undefined ? "unknown operator" : factory(args);
}

/** The UTF-8 bytes of a configured text, one char per byte. */
export function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
