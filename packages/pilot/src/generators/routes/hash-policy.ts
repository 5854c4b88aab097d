import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteAction_HashPolicySchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { HashKey } from "../../config/kinds/destination-rule.ts";
import { duration } from "../proto.ts";

/** What a DestinationRule's consistent hash looks at, in the form of a route. */
export function hashPolicy(key: HashKey | undefined): MessageInitShape<typeof RouteAction_HashPolicySchema>[] {
  switch (key?.type) {
    case "header":
      return [{ policySpecifier: { case: "header", value: { headerName: key.name } } }];
    case "query-parameter":
      return [{ policySpecifier: { case: "queryParameter", value: { name: key.name } } }];
    case "source-ip":
      return [{ policySpecifier: { case: "connectionProperties", value: { sourceIp: true } } }];
    case "cookie": {
      const { name, path, ttl, attributes } = key.cookie;
      const cookie = {
        name,
        path,
        ...(ttl === undefined ? {} : { ttl: duration(ttl) }),
        attributes: attributes.map((entry) => ({ ...entry })),
      };
      return [{ policySpecifier: { case: "cookie", value: cookie } }];
    }
    default:
      return [];
  }
}
