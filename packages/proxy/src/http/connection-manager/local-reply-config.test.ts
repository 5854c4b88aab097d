import { describe, expect, it } from "vitest";
import type { TlsInfo } from "../../transport/transport.ts";
import { ROUTER, routesTo, TestProxy, textLog } from "../testing/test-proxy.ts";

const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const PEER: TlsInfo = {
  ...{ version: "TLSv1.3", alpn: null, peerCertificatePresented: true, dnsSanPeer: [], fingerprintPeer: null },
  ...{ uriSanPeer: ["spiffe://td/ns/n/sa/a"], uriSanLocal: [], subjectPeer: null, subjectLocal: null },
};
const status = (value: number) => ({
  statusCodeFilter: { comparison: { op: "EQ", value: { defaultValue: value, runtimeKey: "x" } } },
});

function replying(localReplyConfig: object, tls?: TlsInfo) {
  const policies = { p: { permissions: [{ any: true }], principals: [{ any: true }] } };
  return new TestProxy(
    {
      routeConfig: routesTo([
        { match: { prefix: "/none" }, directResponse: { status: 204 } },
        { match: { prefix: "/" }, route: { cluster: "absent" } },
      ]),
      httpFilters: [
        {
          name: "envoy.filters.http.rbac",
          typedConfig: {
            "@type": RBAC,
            rules: {
              action: "DENY",
              policies: { p: { ...policies.p, permissions: [{ urlPath: { path: { prefix: "/closed" } } }] } },
            },
          },
        },
        ROUTER,
      ],
      accessLog: [textLog("%RESPONSE_CODE% %LOCAL_REPLY_BODY%")],
      forwardClientCertDetails: "APPEND_FORWARD",
      setCurrentClientCertDetails: { uri: true },
      localReplyConfig,
    },
    tls === undefined ? {} : { tls },
  );
}

describe("local_reply_config", () => {
  it("changes status, body and headers by the first mapper that matches", () => {
    const test = replying({
      mappers: [
        { filter: status(500) },
        {
          filter: status(403),
          statusCode: 404,
          body: { inlineString: "gone ä" },
          headersToAdd: [{ header: { key: "x-why", value: "%RESPONSE_CODE_DETAILS%" } }],
        },
        { filter: status(403), statusCode: 500 },
      ],
    });
    const { head, body } = test.request({ ":path": "/closed" });
    expect(head).toMatchObject({
      ":status": "404",
      "content-type": "text/plain",
      "x-why": "rbac_access_denied_matched_policy[p]",
    });
    expect(body).toBe(Buffer.from("gone ä").toString("latin1"));
    expect(head?.["content-length"]).toBe(String(body.length));
    expect(test.log()).toEqual([`404 ${body}`]);
  });

  it("prints bodies by a format, those of a mapper before that of all", () => {
    const test = replying({
      bodyFormat: { jsonFormat: { text: "%LOCAL_REPLY_BODY%", code: "%RESPONSE_CODE%" } },
      mappers: [
        {
          filter: status(403),
          bodyFormatOverride: { textFormatSource: { inlineString: "<%LOCAL_REPLY_BODY%>" }, contentType: "text/html" },
        },
      ],
    });
    const denied = test.request({ ":path": "/closed" });
    expect([denied.body, denied.head?.["content-type"]]).toEqual(["<RBAC: access denied>", "text/html"]);
    const failed = test.request();
    expect(JSON.parse(failed.body)).toMatchObject({ code: 503 });
    expect(failed.head?.["content-type"]).toBe("application/json");
  });

  it("as pilot writes it: tells mesh peers, and nobody else, which policy decided", () => {
    const config = {
      mappers: [
        {
          filter: {
            andFilter: {
              filters: [
                status(403),
                { headerFilter: { header: { name: "x-forwarded-client-cert", presentMatch: true } } },
              ],
            },
          },
          bodyFormatOverride: {
            textFormatSource: { inlineString: "%LOCAL_REPLY_BODY%, %RESPONSE_CODE_DETAILS%" },
          },
        },
      ],
    };
    const ask = (path: string, tls?: TlsInfo) =>
      replying(config, tls).request({ ":path": path, "x-forwarded-client-cert": "URI=forged" }).body;
    expect(ask("/closed", PEER)).toBe("RBAC: access denied, rbac_access_denied_matched_policy[p]");
    expect(ask("/closed")).toBe("RBAC: access denied");
    expect(ask("/open", PEER)).not.toContain("RBAC");
  });

  it("knows what filters noted", () => {
    const noted = (exact: string, matchIfKeyNotFound?: boolean) => ({
      metadataFilter: {
        matcher: {
          filter: "envoy.filters.http.rbac",
          path: [{ key: "enforced_engine_result" }],
          value: { stringMatch: { exact } },
        },
        ...(matchIfKeyNotFound === undefined ? {} : { matchIfKeyNotFound }),
      },
    });
    const ask = (filter: object, path: string) =>
      replying({ mappers: [{ filter, body: { inlineString: "mine" } }] }).request({ ":path": path }).body;
    expect(ask(noted("denied"), "/closed")).toBe("mine");
    expect(ask(noted("other"), "/closed")).not.toBe("mine");
    const absent = { metadataFilter: { matcher: { ...noted("x").metadataFilter.matcher, filter: "none" } } };
    expect(ask(absent, "/closed")).toBe("mine");
    expect(ask({ metadataFilter: { ...absent.metadataFilter, matchIfKeyNotFound: false } }, "/closed")).not.toBe(
      "mine",
    );
  });

  it("keeps an answer without a body without one, and is refused by field where it cannot be", () => {
    expect(replying({ bodyFormat: { textFormat: "" } }).request({ ":path": "/closed" }).body).toBe("");
    expect(() => replying({ mappers: [{}] })).toThrow(/filter/);
    expect(() => replying({ bodyFormat: { textFormat: "%NO_SUCH%" } })).toThrow(/localReplyConfig\.bodyFormat/);
    expect(() => replying({ mappers: [{ filter: { metadataFilter: {} } }] })).toThrow(/metadataFilter\.matcher/);
  });
});
