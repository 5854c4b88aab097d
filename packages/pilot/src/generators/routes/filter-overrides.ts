import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { CorsPolicySchema } from "@mixerless/wire/envoy/extensions/filters/http/cors/v3/cors";
import { HTTPFaultSchema } from "@mixerless/wire/envoy/extensions/filters/http/fault/v3/fault";
import { FractionalPercent_DenominatorType, type FractionalPercentSchema } from "@mixerless/wire/envoy/type/v3/percent";
import type { CorsPolicy, HttpFault } from "../../config/kinds/virtual-service.ts";
import { duration, typed } from "../proto.ts";
import { stringMatcher } from "./string-match.ts";

/** `typed_per_filter_config` of a route: fault injection and CORS. */
export function filterOverrides(fault: HttpFault | undefined, cors: CorsPolicy | undefined): Record<string, Any> {
  const overrides: Record<string, Any> = {};
  if (fault !== undefined) overrides["envoy.filters.http.fault"] = faultOverride(fault);
  if (cors !== undefined) overrides["envoy.filters.http.cors"] = corsOverride(cors);
  return overrides;
}

/** Percentages keep four decimals: parts per million. */
export function fraction(percent: number): MessageInitShape<typeof FractionalPercentSchema> {
  return { numerator: Math.round(percent * 10_000), denominator: FractionalPercent_DenominatorType.MILLION };
}

function faultOverride({ delay, abort }: HttpFault): Any {
  return typed(HTTPFaultSchema, {
    ...(delay === undefined
      ? {}
      : {
          delay: {
            faultDelaySecifier: { case: "fixedDelay", value: duration(delay.fixedDelay) },
            percentage: fraction(delay.percentage ?? 0),
          },
        }),
    ...(abort === undefined
      ? {}
      : {
          abort: {
            errorType:
              abort.grpcStatus === undefined
                ? { case: "httpStatus", value: abort.httpStatus ?? 0 }
                : { case: "grpcStatus", value: GRPC_STATUS.indexOf(abort.grpcStatus) },
            percentage: fraction(abort.percentage ?? 0),
          },
        }),
  });
}

/** In the order of their numbers. */
const GRPC_STATUS =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

function corsOverride(cors: CorsPolicy): Any {
  return typed(CorsPolicySchema, {
    allowOriginStringMatch: cors.allowOrigins.map(stringMatcher),
    allowMethods: cors.allowMethods.join(","),
    allowHeaders: cors.allowHeaders.join(","),
    exposeHeaders: cors.exposeHeaders.join(","),
    maxAge: cors.maxAge === undefined ? "" : String(Math.floor(cors.maxAge / 1000)),
    ...(cors.allowCredentials === undefined ? {} : { allowCredentials: cors.allowCredentials }),
    filterEnabled: { defaultValue: { numerator: 100 } },
    forwardNotMatchingPreflights: cors.unmatchedPreflights !== "IGNORE",
  });
}
