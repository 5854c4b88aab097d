import type { Clock } from "@mixerless/clock";
import type { RootContext, RootHandle } from "@mixerless/sdk";
import { createGrpcTransport } from "./cloud/grpc-transport.ts";
import { createTokenSource } from "./credentials/credentials.ts";
import { CloudExport, type Connect } from "./export/cloud-export.ts";
import type { ExportUse } from "./export/export-use.ts";
import { StackdriverRoot } from "./filter/root.ts";

export interface StackdriverOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The key of a service account or an external account, as `GOOGLE_APPLICATION_CREDENTIALS` names it; "" for none. */
  readonly credentialsFile: string;
  /**
   * Left out, true. Of a proxy of several processes each would send totals of its own for the same series, which
   * overwrite each other.
   */
  readonly withMetrics?: boolean;
  /** Left out, gRPC. */
  readonly connect?: Connect;
}

/** The stackdriver extension of one proxy: its filters, and the one export that they feed. */
export interface Stackdriver {
  createRoot(host: RootHandle): RootContext;
  /** Sends what there is and ends; takes two seconds at most. */
  close(): Promise<void>;
}

/** Most milliseconds that the end waits for an endpoint. */
const CLOSE_LIMIT = 2000;

export function createStackdriver(options: StackdriverOptions): Stackdriver {
  const { clock, random, credentialsFile, withMetrics = true } = options;
  const connect: Connect =
    options.connect ??
    ((endpoint, { rootsFile }, compression) => createGrpcTransport({ endpoint, rootsFile, compression }, clock));
  const closing = new Set<Promise<void>>();
  const prefix = `${clock.now().toString(36)}-${Math.floor(random() * 2 ** 40).toString(36)}`;
  let entries = 0;
  let current: CloudExport | null = null;
  let users = 0;

  const end = (): void => {
    const ended = current?.close(CLOSE_LIMIT);
    current = null;
    if (ended === undefined) return;
    closing.add(ended);
    void ended.finally(() => closing.delete(ended));
  };

  const use: ExportUse = {
    clock,
    withMetrics,
    nextId: () => `${prefix}-${(entries++).toString(36)}`,
    acquire: ({ project, settings, counters, warn }) => {
      users++;
      const { tokenFile, stsPort } = settings;
      current ??= new CloudExport({
        ...{ clock, random, project, settings, counters, connect, warn, withMetrics },
        tokens: createTokenSource({ file: credentialsFile, tokenFile, stsPort }, { clock }),
      });
      return current;
    },
    release: () => {
      if (--users === 0) end();
    },
  };

  return {
    createRoot: (host) => new StackdriverRoot(host, use),
    close: async () => {
      end();
      await Promise.all(closing);
    },
  };
}
