import { create } from "@bufbuild/protobuf";
import {
  type LocalReplyConfig,
  LocalReplyConfigSchema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { GeneratorInput } from "../generator-input.ts";
import { EXPLAIN_REFUSALS, isOn } from "../mesh-switches.ts";
import type { ListenerClass } from "../telemetry-filters.ts";

/**
 * Where the mesh wants it, a 403 says which rule decided: to peers that proved to be of the mesh, for whom alone
 * `x-forwarded-client-cert` is there. The names of policies are nobody else's business.
 */
export function localReplies(
  { push }: GeneratorInput,
  listenerClass: ListenerClass,
): { readonly localReplyConfig?: LocalReplyConfig } {
  if (listenerClass !== "inbound" || !isOn(push.mesh, EXPLAIN_REFUSALS)) return {};
  const refused = {
    filter: "envoy.filters.http.rbac",
    path: [{ segment: { case: "key" as const, value: "enforced_engine_result" } }],
    value: {
      matchPattern: {
        case: "stringMatch" as const,
        value: { matchPattern: { case: "exact" as const, value: "denied" } },
      },
    },
  };
  const fromPeer = {
    name: "x-forwarded-client-cert",
    headerMatchSpecifier: { case: "presentMatch" as const, value: true },
  };
  return {
    localReplyConfig: create(LocalReplyConfigSchema, {
      mappers: [
        {
          filter: {
            filterSpecifier: {
              case: "andFilter",
              value: {
                filters: [
                  {
                    filterSpecifier: {
                      case: "metadataFilter",
                      value: { matcher: refused, matchIfKeyNotFound: false },
                    },
                  },
                  { filterSpecifier: { case: "headerFilter", value: { header: fromPeer } } },
                ],
              },
            },
          },
          bodyFormatOverride: {
            format: {
              case: "textFormatSource",
              value: { specifier: { case: "inlineString", value: "RBAC: access denied, %RESPONSE_CODE_DETAILS%" } },
            },
          },
        },
      ],
    }),
  };
}
