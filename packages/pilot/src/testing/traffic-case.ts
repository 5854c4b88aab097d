import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";

/** Objects in short form: kind → name (or `namespace/name`) → spec. What is not the spec stands below `+`. */
export type ShortConfig = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** What a request through a sidecar or gateway with this configuration meets. */
export interface TrafficRequest {
  /** Name of the listener, such as `127.0.0.1_9080`. */
  readonly listener?: string;
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes instead of HTTP: what is sent, to be answered by the endpoint with its address. */
  readonly tcp?: string;
  /** Over TLS, with the certificate of a service account of the namespace `default`, or with none. */
  readonly tls?: { readonly as?: string; readonly offer?: readonly string[]; readonly sni?: string };
  /** The connection ends without an answer. */
  readonly refused?: boolean;
  /** 200 if left out. */
  readonly status?: number;
  /** Address of the endpoint that must have been reached; null: none. */
  readonly at?: string | null;
  /** What the endpoint must have seen; null: absent. */
  readonly seen?: Readonly<Record<string, string | null>>;
  /** Headers of the answer; null: absent. */
  readonly answer?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  /** So many requests, of which each endpoint must get a part within these bounds. */
  readonly times?: number;
  readonly shares?: Readonly<Record<string, readonly [number, number]>>;
  /** All of `times` requests must go to the same endpoint. */
  readonly sticky?: boolean;
}

/** One case of traffic generation: what is configured, what comes of it, where requests then go. */
export interface TrafficCase {
  readonly name: string;
  /** Section of the control-plane specification. */
  readonly rule: string;
  readonly file: string;
  /** Files of objects that come before `config`. */
  readonly base: readonly string[];
  readonly config: ShortConfig;
  readonly node: Readonly<Record<string, unknown>>;
  /** An authority gives workloads identities. */
  readonly mutualTls: boolean;
  /** `clusters`, `endpoints`, `listeners`, `routes`: name → what it must be like, null: absent. */
  readonly expect: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Names, complete, per type. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly requests: readonly TrafficRequest[];
  /** What the embedded proxy cannot do and says so about, as a part of its refusal; empty: it takes everything. */
  readonly refusal: string;
}

/** Where the cases of this package lie. */
export const TRAFFIC_CASES = new URL("../../testdata/traffic/", import.meta.url);

/** All cases of a folder, in the order of files and entries. */
export function readTrafficCases(folder: URL): TrafficCase[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml") && !name.startsWith("base"))
    .sort();
  return names.flatMap((file) => {
    const entries = parse(readFileSync(new URL(file, folder), "utf8"), { merge: true }) as Partial<TrafficCase>[];
    return entries.map((entry) => complete(entry, file));
  });
}

function complete(entry: Partial<TrafficCase>, file: string): TrafficCase {
  const { name, rule } = entry;
  if (name === undefined || rule === undefined) throw new Error(`${file}: a case without name or rule`);
  const { base = ["base.yaml"], config = {}, node = {}, expect = {}, names = {}, requests = [], refusal = "" } = entry;
  const { mutualTls = false } = entry;
  return { name, rule, file, base, config, node, mutualTls, expect, names, requests, refusal };
}
