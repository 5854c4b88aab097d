import { hostname } from "node:os";
import { env } from "node:process";
import type { FormatParts, OperatorTable } from "../operator.ts";
import { expressionOperators } from "./expression.ts";
import { HEADER_OPERATORS } from "./headers.ts";
import { OUTCOME_OPERATORS } from "./outcome.ts";
import { REST_OPERATORS } from "./rest.ts";
import { ROUTING_OPERATORS } from "./routing.ts";
import { STATE_OPERATORS } from "./state.ts";
import { timeOperators } from "./time.ts";
import { TLS_OPERATORS } from "./tls.ts";

/** Every format operator that is known [telemetry §6.3]. Some are known and refused, with the reason. */
export function createOperators({ clock, expressions }: FormatParts): OperatorTable {
  return {
    ...expressionOperators(expressions),
    ...timeOperators(clock),
    ...HEADER_OPERATORS,
    ...OUTCOME_OPERATORS,
    ...ROUTING_OPERATORS,
    ...TLS_OPERATORS,
    ...STATE_OPERATORS,
    ...REST_OPERATORS,
    HOSTNAME: () => {
      const name = hostname();
      return () => name;
    },
    ENVIRONMENT: (args) => {
      const value = env[args ?? ""] ?? null;
      return () => value;
    },
  };
}
