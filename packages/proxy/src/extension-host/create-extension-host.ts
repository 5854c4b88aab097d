import type { Clock } from "@mixerless/clock";
import type { MetricStore } from "@mixerless/metrics";
import { toJson } from "@mixerless/wire";
import { type Node, NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { Expressions } from "../expression/expressions.ts";
import type { StateReaderTable } from "../expression/state-reader.ts";
import { StreamExpressions } from "../expression/stream-expressions.ts";
import type { GrpcClient } from "../grpc/grpc-client.ts";
import type { ModuleSource } from "../wasm/module-source.ts";
import type { ExtensionTable, ModuleTable } from "./extension.ts";
import { ExtensionHost } from "./extension-host.ts";

export interface ExtensionParts {
  readonly table: ExtensionTable;
  readonly ownModules: ModuleTable | undefined;
  readonly states: StateReaderTable | undefined;
  readonly node: Node | undefined;
  readonly modules: ModuleSource | undefined;
  readonly clock: Clock;
  readonly metrics: MetricStore;
  readonly grpc: GrpcClient;
  readonly log: (level: number, message: string) => void;
  readonly onPluginStarted: () => void;
}

/** What runs extensions, and what evaluates expressions beside them, for one proxy. */
export function createExtensionHost({ table, states, node, ...parts }: ExtensionParts): {
  readonly extensions: ExtensionHost;
  readonly expressions: StreamExpressions;
} {
  const facts =
    node === undefined ? {} : (toJson(NodeSchema, node, { declaredNames: true }) as Record<string, unknown>);
  const expressions = new Expressions(parts.metrics, states);
  return {
    extensions: new ExtensionHost(table, { ...parts, node: facts, expressions }),
    expressions: new StreamExpressions(expressions, facts),
  };
}
