import { VirtualClock } from "@mixerless/clock";
import { descend, type PropertyValue } from "../encoding/property-value.ts";
import type {
  Attributes,
  DnsAnswer,
  Expressions,
  ForeignFunction,
  GrpcClient,
  GrpcEvents,
  GrpcRequest,
  GrpcStream,
  HttpCallClient,
  HttpCallRequest,
  HttpCallResponse,
  PluginLogEntry,
  PluginServices,
} from "../vm/services.ts";

export interface FakeHttpCall {
  readonly request: HttpCallRequest;
  readonly done: (response: HttpCallResponse | null) => void;
  cancelled: boolean;
}

export interface FakeGrpcStream {
  readonly request: GrpcRequest;
  readonly events: GrpcEvents;
  readonly sent: { readonly message: Buffer; readonly endStream: boolean }[];
  ended: boolean;
  cancelled: boolean;
}

/** What a proxy hands to its plugins, without a proxy. Time is virtual. */
export class FakeServices implements PluginServices {
  readonly clock = new VirtualClock();
  readonly entries: PluginLogEntry[] = [];
  readonly calls: FakeHttpCall[] = [];
  readonly grpcStreams: FakeGrpcStream[] = [];
  readonly lookups: {
    readonly host: string;
    readonly done: (answers: readonly DnsAnswer[]) => void;
    cancelled: boolean;
  }[] = [];
  readonly clusters = new Set(["backend"]);
  /** Attributes that are there without a stream, as a tree. */
  readonly common: Record<string, unknown> = { node: { id: "node-1" } };
  readonly foreign = new Map<string, ForeignFunction>();
  /** Calls begin only while true. */
  healthy = true;
  level = 0;

  logLevel(): number {
    return this.level;
  }

  log(entry: PluginLogEntry): void {
    this.entries.push(entry);
  }

  /** Texts of the messages at a level or above. */
  texts(level = 0): string[] {
    return this.entries.filter((entry) => entry.level >= level).map(({ text }) => text);
  }

  headerKey(name: string): { readonly text: string } {
    return { text: name };
  }

  readonly attributes: Attributes = {
    resolve: (path) => {
      const [first = ""] = path;
      if (first.startsWith("plugin_")) return null;
      return (stream) => {
        const own = (stream as Record<string, unknown> | null)?.[first];
        const from = own === undefined ? this.common[first] : own;
        return path.length === 1 ? (from as PropertyValue) : descend(from as PropertyValue, path, 1);
      };
    },
  };

  /** Understands a number, a quotient of two, and a path. */
  readonly expressions: Expressions = {
    compile: (text) => {
      const quotient = /^(\d+)\s*\/\s*(\d+)$/.exec(text);
      if (quotient !== null) return { evaluate: () => divide(Number(quotient[1]), Number(quotient[2])) };
      if (!/^[a-z_.]+$/.test(text)) return null;
      return { evaluate: (stream) => descend(stream ?? undefined, text.split(".")) };
    },
  };

  readonly http: HttpCallClient = {
    hasCluster: (name) => this.clusters.has(name),
    call: (request, done) => {
      if (!this.healthy) return null;
      const call: FakeHttpCall = { request, done, cancelled: false };
      this.calls.push(call);
      return {
        cancel: () => {
          call.cancelled = true;
        },
      };
    },
  };

  readonly grpc: GrpcClient = {
    hasCluster: (name) => this.clusters.has(name),
    open: (request, events): GrpcStream | null => {
      if (!this.healthy) return null;
      const stream: FakeGrpcStream = { request, events, sent: [], ended: false, cancelled: false };
      this.grpcStreams.push(stream);
      return {
        send: (message, endStream) => stream.sent.push({ message, endStream }),
        end: () => {
          stream.ended = true;
        },
        cancel: () => {
          stream.cancelled = true;
        },
      };
    },
  };

  readonly dns = {
    resolve: (host: string, done: (answers: readonly DnsAnswer[]) => void) => {
      const lookup = { host, done, cancelled: false };
      this.lookups.push(lookup);
      return {
        cancel: () => {
          lookup.cancelled = true;
        },
      };
    },
  };
}

function divide(one: number, other: number): number {
  if (other === 0) throw new Error("division by zero");
  return Math.trunc(one / other);
}
