import type { FaultDelay } from "@mixerless/wire/envoy/extensions/filters/common/fault/v3/fault";
import type { FaultAbort, HTTPFault } from "@mixerless/wire/envoy/extensions/filters/http/fault/v3/fault";
import { milliseconds } from "../../http/routing/duration.ts";
import { fractionOf } from "../../http/routing/fraction.ts";
import { compileHeaderMatcher, type HeaderMatch } from "../../http/routing/header-matcher.ts";
import { type ConfigFault, fieldPath } from "../../network/config-fault.ts";

/** A delay; `byHeader` takes its length from the request. */
export interface InjectedDelay {
  readonly milliseconds: number;
  readonly byHeader: boolean;
  /** 0…1. */
  readonly share: number;
}

/** An abort; `byHeader` takes its status from the request. */
export interface InjectedAbort {
  readonly status: number;
  readonly grpcStatus: number | null;
  readonly byHeader: boolean;
  /** 0…1. */
  readonly share: number;
}

/** A compiled HTTPFault. */
export interface FaultConfig {
  readonly delay: InjectedDelay | null;
  readonly abort: InjectedAbort | null;
  /** Empty: any. */
  readonly upstreamCluster: string;
  readonly headers: readonly HeaderMatch[];
  /** Values of `x-envoy-downstream-service-node`; empty: any. */
  readonly downstreamNodes: ReadonlySet<string>;
  readonly maxActive: number;
}

/** HTTP statuses of gRPC statuses 0 to 16. */
const HTTP_STATUS = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

export function compileFault(message: HTTPFault, path: string, faults: ConfigFault[]): FaultConfig {
  if (message.responseRateLimit !== undefined) {
    faults.push({ path: fieldPath(path, "responseRateLimit"), message: "is not supported" });
  }
  return {
    delay: message.delay === undefined ? null : compileDelay(message.delay),
    abort: message.abort === undefined ? null : compileAbort(message.abort),
    upstreamCluster: message.upstreamCluster,
    headers: message.headers.map((matcher, i) =>
      compileHeaderMatcher(matcher, fieldPath(path, `headers[${i}]`), faults),
    ),
    downstreamNodes: new Set(message.downstreamNodes),
    maxActive: message.maxActiveFaults ?? Number.POSITIVE_INFINITY,
  };
}

function compileDelay(delay: FaultDelay): InjectedDelay {
  const specifier = delay.faultDelaySecifier;
  return {
    milliseconds: specifier.case === "fixedDelay" ? (milliseconds(specifier.value) ?? 0) : 0,
    byHeader: specifier.case === "headerDelay",
    share: fractionOf(delay.percentage, 0),
  };
}

function compileAbort(abort: FaultAbort): InjectedAbort {
  const type = abort.errorType;
  const grpcStatus = type.case === "grpcStatus" ? type.value : null;
  return {
    status: type.case === "httpStatus" ? type.value : grpcStatus === null ? 0 : (HTTP_STATUS[grpcStatus] ?? 500),
    grpcStatus,
    byHeader: type.case === "headerAbort",
    share: fractionOf(abort.percentage, 0),
  };
}
