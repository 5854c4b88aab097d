import type { JsonObject } from "@bufbuild/protobuf";
import { decodeJson } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { describe, expect, it } from "vitest";
import { compileCluster } from "./compile-cluster.ts";

const KEY = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const HTTP1 = { explicit_http_config: { http_protocol_options: {} } };

function compiled(options: object, fields: JsonObject = {}) {
  const json = {
    name: "c",
    typed_extension_protocol_options: { [KEY]: { "@type": `type.googleapis.com/${KEY}`, ...options } },
    ...fields,
  };
  const decoded = decodeJson(ClusterSchema, json as JsonObject);
  if (decoded.message === undefined) throw new Error(JSON.stringify(decoded.faults));
  const result = compileCluster(decoded.message);
  return "faults" in result ? result.faults.map(({ path }) => path.replace(KEY, "…")) : result.config;
}

describe("how a cluster speaks HTTP", () => {
  it("limits connections and streams, the older fields aside", () => {
    const limits = { idle_timeout: "3s", max_requests_per_connection: 2, max_stream_duration: "9s" };
    const old = { common_http_protocol_options: { idle_timeout: "1s" } };
    expect(compiled({ ...HTTP1, common_http_protocol_options: limits }, old)).toMatchObject({
      maxStreamDuration: 9000,
      pool: { idleTimeout: 3000, maxRequestsPerConnection: 2 },
    });
    expect(compiled(HTTP1, old)).toMatchObject({ pool: { idleTimeout: 3_600_000 } });
  });

  it("is HTTP/1.1, also where it is the client's version", () => {
    expect(compiled(HTTP1)).toMatchObject({ name: "c" });
    expect(compiled({ use_downstream_protocol_config: { http2_protocol_options: {} } })).toMatchObject({ name: "c" });
  });

  it("is refused by name where it is another", () => {
    const at = 'typedExtensionProtocolOptions["…"].';
    const refusedAs = (field: string) => [`${at}${field}`];
    expect(compiled({ explicit_http_config: { http2_protocol_options: {} } })).toEqual(refusedAs("explicitHttpConfig"));
    expect(compiled({})).toEqual(refusedAs("upstreamProtocolOptions"));
    expect(compiled({ ...HTTP1, common_http_protocol_options: { headers_with_underscores_action: 1 } })).toEqual(
      refusedAs("commonHttpProtocolOptions.headersWithUnderscoresAction"),
    );
    expect(compiled({ auto_config: {} })).toContain(`${at}autoConfig`);
  });
});
