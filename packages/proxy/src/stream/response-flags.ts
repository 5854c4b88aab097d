/** Why a response is what it is, as Envoy's bits [telemetry §1.8]. Combined by OR. */
export const ResponseFlag = {
  FailedLocalHealthCheck: 0x1,
  NoHealthyUpstream: 0x2,
  UpstreamRequestTimeout: 0x4,
  LocalReset: 0x8,
  UpstreamRemoteReset: 0x10,
  UpstreamConnectionFailure: 0x20,
  UpstreamConnectionTermination: 0x40,
  UpstreamOverflow: 0x80,
  NoRouteFound: 0x100,
  DelayInjected: 0x200,
  FaultInjected: 0x400,
  RateLimited: 0x800,
  UnauthorizedExternalService: 0x1000,
  RateLimitServiceError: 0x2000,
  DownstreamConnectionTermination: 0x4000,
  UpstreamRetryLimitExceeded: 0x8000,
  StreamIdleTimeout: 0x10000,
  InvalidEnvoyRequestHeaders: 0x20000,
  DownstreamProtocolError: 0x40000,
  UpstreamMaxStreamDurationReached: 0x80000,
  ResponseFromCacheFilter: 0x100000,
  NoFilterConfigFound: 0x200000,
  DurationTimeout: 0x400000,
  UpstreamProtocolError: 0x800000,
  NoClusterFound: 0x1000000,
  OverloadManagerTerminated: 0x2000000,
  DnsResolutionFailed: 0x4000000,
  DropOverload: 0x8000000,
  DownstreamRemoteReset: 0x10000000,
  UnconditionalDropOverload: 0x20000000,
} as const;

const SHORT_NAMES: readonly string[] =
  "LH UH UT LR UR UF UC UO NR DI FI RL UAEX RLSE DC URX SI IH DPE UMSDR RFCF NFCF DT UPE NC OM DF DO DR UDO".split(" ");

/** Short names in bit order joined by commas, `-` when none is set. */
export function formatResponseFlags(flags: number): string {
  if (flags === 0) return "-";
  const names: string[] = [];
  for (let bit = 0; bit < SHORT_NAMES.length; bit++) if ((flags & (1 << bit)) !== 0) names.push(SHORT_NAMES[bit] ?? "");
  return names.join(",");
}

const LONG_NAMES: readonly string[] = Object.keys(ResponseFlag);

/** Long names in bit order joined by commas, `-` when none is set. */
export function formatResponseFlagsLong(flags: number): string {
  if (flags === 0) return "-";
  const names: string[] = [];
  for (let bit = 0; bit < LONG_NAMES.length; bit++) if ((flags & (1 << bit)) !== 0) names.push(LONG_NAMES[bit] ?? "");
  return names.join(",");
}

/** The bit of a short name; null for a name that does not exist. */
export function responseFlagOf(shortName: string): number | null {
  const bit = SHORT_NAMES.indexOf(shortName);
  return bit < 0 ? null : 1 << bit;
}
