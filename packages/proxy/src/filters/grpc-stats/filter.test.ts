import { describe, expect, it } from "vitest";
import { ROUTER, routesTo, TestProxy, textLog } from "../../http/testing/test-proxy.ts";
import { MessageCounter } from "./message-counter.ts";

function frame(length: number): string {
  return `\0${String.fromCharCode(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)}${"x".repeat(length)}`;
}

describe("the gRPC statistics filter", () => {
  it("counts messages, however they are cut into pieces", () => {
    const bytes = Buffer.from(frame(0) + frame(300) + frame(2), "latin1");
    for (const size of [1, 2, 3, 7, 1000]) {
      const counter = new MessageCounter();
      for (let at = 0; at < bytes.length; at += size) counter.add(bytes, at, Math.min(at + size, bytes.length));
      expect(counter.count).toBe(3);
    }
  });

  it("leaves its counts in filter state for gRPC streams", () => {
    const state =
      "%FILTER_STATE(envoy.filters.http.grpc_stats:FIELD:request_message_count)% %FILTER_STATE(envoy.filters.http.grpc_stats:FIELD:response_message_count)%";
    const test = new TestProxy({
      routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
      httpFilters: [
        {
          name: "envoy.filters.http.grpc_stats",
          typedConfig: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
            emitFilterState: true,
          },
        },
        ROUTER,
      ],
      accessLog: [textLog(state)],
    });
    const cluster = test.clusters.add("c");
    test
      .request({ "content-type": "application/grpc" }, false)
      .data(frame(1) + frame(2))
      .data(frame(3), true);
    cluster.last.begin(200).data(frame(9), true);
    test.request();
    cluster.last.respond(200);
    expect(test.log()).toEqual(["3 1", "- -"]);
  });
});
