import { create } from "@bufbuild/protobuf";
import {
  type LocalReplyConfig,
  LocalReplyConfigSchema,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { GeneratorInput } from "../generator-input.ts";
import { EXPLAIN_REFUSALS, isOn } from "../mesh-switches.ts";
import type { ListenerClass } from "../telemetry-of.ts";

/**
 * Where the mesh wants it, a 403 says which rule decided: to peers that proved to be of the mesh, for whom alone
 * `x-forwarded-client-cert` is there. The names of policies are nobody else's business. Envoy makes its answer before
 * it notes what the rules said, so the status is all there is to go by.
 */
export function localReplies(
  { push }: GeneratorInput,
  listenerClass: ListenerClass,
): { readonly localReplyConfig?: LocalReplyConfig } {
  if (listenerClass !== "inbound" || !isOn(push.mesh, EXPLAIN_REFUSALS)) return {};
  const forbidden = {
    case: "statusCodeFilter" as const,
    value: { comparison: { value: { defaultValue: 403, runtimeKey: "mixerless.explained_status" } } },
  };
  const fromPeer = {
    case: "headerFilter" as const,
    value: {
      header: {
        name: "x-forwarded-client-cert",
        headerMatchSpecifier: { case: "presentMatch" as const, value: true },
      },
    },
  };
  return {
    localReplyConfig: create(LocalReplyConfigSchema, {
      mappers: [
        {
          filter: {
            filterSpecifier: {
              case: "andFilter",
              value: { filters: [{ filterSpecifier: forbidden }, { filterSpecifier: fromPeer }] },
            },
          },
          bodyFormatOverride: {
            format: {
              case: "textFormatSource",
              value: { specifier: { case: "inlineString", value: "%LOCAL_REPLY_BODY%, %RESPONSE_CODE_DETAILS%" } },
            },
          },
        },
      ],
    }),
  };
}
