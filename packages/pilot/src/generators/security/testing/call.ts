/** One request, or one connection that carries none, told in the words of policies. */
export interface Call {
  /** Null: a connection without requests. */
  readonly http: HttpCall | null;
  readonly sourceIp: string;
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** Empty for none. */
  readonly sni: string;
  /** Of the caller's certificate. */
  readonly peer: { readonly trustDomain: string; readonly namespace: string; readonly account: string } | null;
}

export interface HttpCall {
  readonly method: string;
  readonly host: string;
  /** With its query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Claims of a token that was verified. */
  readonly token: Readonly<Record<string, unknown>> | null;
  /** What other filters noted. */
  readonly notes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** An AuthorizationPolicy as it stands in a file. */
export interface WrittenPolicy {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly action?: "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
    readonly provider?: { readonly name: string };
    readonly rules?: readonly WrittenRule[];
  };
}

export interface WrittenRule {
  readonly from?: readonly { readonly source: Lists }[];
  readonly to?: readonly { readonly operation: Lists }[];
  readonly when?: readonly {
    readonly key: string;
    readonly values?: readonly string[];
    readonly notValues?: readonly string[];
  }[];
}

export type Lists = Readonly<Record<string, readonly string[]>>;

export interface Surroundings {
  readonly rootNamespace: string;
  /** First the one in use, then its aliases. */
  readonly trustDomains: readonly string[];
  readonly workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
}
