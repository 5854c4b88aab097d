import { create } from "@bufbuild/protobuf";
import { toJson } from "@mixerless/wire";
import { AccessLogSchema } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf } from "../../model/testing/push-of.ts";
import type { ListenerClass } from "../telemetry-of.ts";
import { accessLogs, listenerAccessLogs } from "./access-logs.ts";

const PROVIDERS = [
  { name: "text", envoyFileAccessLog: { path: "/text", logFormat: { text: "%REQ(:PATH)%" } } },
  { name: "json", envoyFileAccessLog: { path: "/json", logFormat: { labels: { path: "%REQ(:PATH)%" } } } },
  { name: "otel", envoyOtelAls: { service: "otel.default.svc.cluster.local", port: 4317 } },
];

interface Shown {
  readonly filter?: unknown;
  readonly typedConfig: { readonly path: string; readonly logFormat: Manifest };
}

function logsOf(
  specs: Readonly<Record<string, Manifest>>,
  mesh: Manifest = {},
  listenerClass: ListenerClass = "outbound",
  make = accessLogs,
): Shown[] {
  const push = pushOf([
    object("MeshConfig", "istio-system/mesh", { extensionProviders: PROVIDERS, ...mesh }),
    pod("a-v1", "10.0.0.1"),
    ...Object.entries(specs).map(([name, spec]) => object("Telemetry", name, spec)),
  ]);
  const logs = make({ proxy: proxy("a-v1"), push, telemetry: "native" }, listenerClass);
  return logs.map((log) => toJson(AccessLogSchema, create(AccessLogSchema, log)) as unknown as Shown);
}

const pathsOf = (...args: Parameters<typeof logsOf>) => logsOf(...args).map(({ typedConfig }) => typedConfig.path);
const logging = (...accessLogging: Manifest[]) => ({ accessLogging });
const to = (...names: string[]) => ({ providers: names.map((name) => ({ name })) });
const mode = (value: string) => ({ match: { mode: value } });
const filtered = (expression: string) => ({ filter: { expression } });
const OFF = { disabled: true };
const DEFAULT_TEXT = { defaultProviders: { accessLogging: ["text"] } };
const LEGACY = { accessLogFile: "/legacy" };

describe("who logs, as upstream's tests pin down [telemetry §10.5, control-plane §2.7]", () => {
  const both = (specs: Record<string, Manifest>, mesh: Manifest = {}) => ({
    outbound: pathsOf(specs, mesh),
    inbound: pathsOf(specs, mesh, "inbound"),
  });
  const workload = (...entries: Manifest[]) => ({ selector: { matchLabels: { app: "a" } }, ...logging(...entries) });
  const clientRoot = { "istio-system/r": logging({ ...mode("CLIENT"), ...to("text") }) };

  it.each<[string, Record<string, Manifest>, Manifest, { outbound: string[]; inbound: string[] }]>([
    [
      "only metrics configured: the log of the mesh",
      { "default/n": { metrics: [{ overrides: [] }] } },
      LEGACY,
      { outbound: ["/legacy"], inbound: ["/legacy"] },
    ],
    ["CLIENT mode", clientRoot, {}, { outbound: ["/text"], inbound: [] }],
    [
      "SERVER mode",
      { "default/n": logging({ ...mode("SERVER"), ...to("text") }) },
      {},
      { outbound: [], inbound: ["/text"] },
    ],
    [
      "root client, namespace disables SERVER: outbound still logs",
      { ...clientRoot, "default/n": logging({ ...mode("SERVER"), ...OFF }) },
      {},
      { outbound: ["/text"], inbound: [] },
    ],
    [
      "root client, namespace disables CLIENT: none",
      { ...clientRoot, "default/n": logging({ ...mode("CLIENT"), ...OFF }) },
      {},
      { outbound: [], inbound: [] },
    ],
    [
      "and the workload enables it again",
      {
        ...clientRoot,
        "default/n": logging({ ...mode("CLIENT"), ...OFF }),
        "default/w": workload({ ...mode("CLIENT"), ...to("text") }),
      },
      {},
      { outbound: ["/text"], inbound: [] },
    ],
    [
      "a namespace's provider over the root's",
      { "istio-system/r": logging(to("text")), "default/n": logging(to("json")) },
      {},
      { outbound: ["/json"], inbound: ["/json"] },
    ],
    [
      "a provider over the default",
      { "default/n": logging(to("json")) },
      DEFAULT_TEXT,
      { outbound: ["/json"], inbound: ["/json"] },
    ],
    [
      "an empty entry inherits",
      { "istio-system/r": logging(to("text")), "default/n": logging({}) },
      {},
      { outbound: ["/text"], inbound: ["/text"] },
    ],
    ["the default alone", {}, DEFAULT_TEXT, { outbound: ["/text"], inbound: ["/text"] }],
    ["disabled over the default", { "default/n": logging(OFF) }, DEFAULT_TEXT, { outbound: [], inbound: [] }],
    ["a disabled entry", { "default/n": logging({ ...to("text"), ...OFF }) }, LEGACY, { outbound: [], inbound: [] }],
    ["an unknown provider", { "default/n": logging(to("nowhere")) }, LEGACY, { outbound: [], inbound: [] }],
    ["stackdriver", { "default/n": logging(to("stackdriver")) }, LEGACY, { outbound: [], inbound: [] }],
    [
      "the default provider stackdriver, Telemetry names another",
      { "default/n": logging(to("text")) },
      { defaultProviders: { accessLogging: ["stackdriver"] } },
      { outbound: ["/text"], inbound: ["/text"] },
    ],
    [
      "two entries in one object: both, sorted",
      { "default/n": logging(to("text"), to("json")) },
      {},
      { outbound: ["/json", "/text"], inbound: ["/json", "/text"] },
    ],
    [
      "two providers in one entry: both",
      { "default/n": logging(to("text", "json")) },
      {},
      { outbound: ["/json", "/text"], inbound: ["/json", "/text"] },
    ],
    [
      "the second entry disables its provider: the first only",
      { "default/n": logging(to("text"), { ...to("json"), ...OFF }) },
      {},
      { outbound: ["/text"], inbound: ["/text"] },
    ],
    [
      "SERVER then CLIENT_AND_SERVER of the same provider",
      { "default/n": logging({ ...mode("SERVER"), ...to("text") }, to("text")) },
      {},
      { outbound: ["/text"], inbound: ["/text"] },
    ],
    [
      "and the second is disabled: none",
      { "default/n": logging({ ...mode("SERVER"), ...to("text") }, { ...to("text"), ...OFF }) },
      {},
      { outbound: [], inbound: [] },
    ],
    [
      "another provider per mode",
      { "default/n": logging({ ...mode("SERVER"), ...to("text") }, { ...mode("CLIENT"), ...to("json") }) },
      {},
      { outbound: ["/json"], inbound: ["/text"] },
    ],
  ])("%s", (_, specs, mesh, expected) => {
    expect(both(specs, mesh)).toEqual(expected);
    expect(pathsOf(specs, mesh, "gateway")).toEqual(expected.outbound);
  });

  it("otel: nothing, it can be sent nowhere yet", () => {
    expect(pathsOf({ "default/n": logging(to("otel", "text")) })).toEqual(["/text"]);
  });

  it("names are found whatever their case", () => {
    const specs = {
      "istio-system/r": logging(to("TEXT")),
      "default/n": logging({ ...to("Text"), ...filtered("true") }),
    };
    expect(logsOf(specs)).toHaveLength(1);
    expect(JSON.stringify(logsOf(specs))).toContain('"expression":"true"');
  });
});

describe("what is logged", () => {
  const cel = (expression: string) => ({
    extensionFilter: {
      name: "envoy.access_loggers.extension_filters.cel",
      typedConfig: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        expression,
      },
    },
  });
  const NR = { responseFlagFilter: { flags: ["NR"] } };
  const entry = (code: number) => ({ ...to("text"), ...filtered(`response.code >= ${code}`) });

  it.each<[string, Manifest, unknown]>([
    ["filters 500 then 400 of the same provider: 400", logging(entry(500), entry(400)), cel("response.code >= 400")],
    ["the second without a filter: everything", logging(entry(500), to("text")), undefined],
    [
      "an entry without a provider changes no filter",
      logging(entry(500), filtered("false")),
      cel("response.code >= 500"),
    ],
  ])("%s", (_, spec, expected) => {
    expect(logsOf({ "default/n": spec }).map(({ filter }) => filter)).toEqual([expected]);
  });

  it("an expression and what the listener itself logs must both be true", () => {
    const specs = { "default/n": logging(entry(400)) };
    const filterOf = (...args: Parameters<typeof logsOf>) => logsOf(...args).map(({ filter }) => filter);
    expect(filterOf(specs, {}, "inbound", listenerAccessLogs)).toEqual([
      { andFilter: { filters: [NR, cel("response.code >= 400")] } },
    ]);
    expect(filterOf({}, LEGACY, "inbound", listenerAccessLogs)).toEqual([NR]);
    expect(filterOf(specs, { disableEnvoyListenerLog: true }, "inbound", listenerAccessLogs)).toEqual([]);
  });
});

describe("how it is written [telemetry §10.7]", () => {
  const text = (mesh: Manifest) => logsOf({}, { ...LEGACY, ...mesh })[0]?.typedConfig.logFormat;
  const inline = (inlineString: string) => ({ textFormatSource: { inlineString } });

  it("text without a line break gets one, with one stays, empty is the default", () => {
    expect(text({ accessLogFormat: "%PROTOCOL%" })).toEqual(inline("%PROTOCOL%\n"));
    expect(text({ accessLogFormat: "%PROTOCOL%\n" })).toEqual(inline("%PROTOCOL%\n"));
    expect(JSON.stringify(text({}))).toContain("[%START_TIME%]");
  });

  it("JSON may be nested; what is no object is the default", () => {
    const json = (accessLogFormat: string) => text({ accessLogEncoding: "JSON", accessLogFormat })?.jsonFormat;
    expect(json('{"foo":{"bar":"ha"}}')).toEqual({ foo: { bar: "ha" } });
    for (const format of ["foo", "[]", '"{}"', ""]) {
      expect(json(format)).toMatchObject({ start_time: "%START_TIME%", upstream_cluster: "%UPSTREAM_CLUSTER_RAW%" });
      expect(Object.keys(json(format) as object)).toHaveLength(24);
    }
  });

  const ofProvider = (settings: Manifest, mesh: Manifest = {}) => {
    const extensionProviders = [{ name: "p", envoyFileAccessLog: settings }];
    return logsOf({ "default/n": logging(to("p")) }, { extensionProviders, ...mesh })[0]?.typedConfig;
  };

  it("a provider without a format has the mesh's, and writes to /dev/stdout unless it names a file", () => {
    const mesh = { accessLogEncoding: "JSON", accessLogFormat: '{"a":"b"}' };
    expect(ofProvider({}, mesh)).toMatchObject({ path: "/dev/stdout", logFormat: { jsonFormat: { a: "b" } } });
    expect(ofProvider({ logFormat: { text: "x" } }, mesh)?.logFormat).toEqual(inline("x\n"));
    expect(logsOf({ "default/n": logging(to("envoy")) })[0]?.typedConfig.path).toBe("/dev/stdout");
  });

  it("empty labels are the default JSON; omitEmptyValues is carried through", () => {
    const format = ofProvider({ logFormat: { labels: {} }, omitEmptyValues: true })?.logFormat;
    expect(format).toMatchObject({ jsonFormat: { start_time: "%START_TIME%" }, omitEmptyValues: true });
  });

  it("REQ_WITHOUT_QUERY needs its formatter, once; METADATA and CEL need none", () => {
    const formatters = (accessLogFormat: string) => (text({ accessLogFormat })?.formatters ?? []) as { name: string }[];
    const twice = formatters("%REQ_WITHOUT_QUERY(:PATH)% %REQ_WITHOUT_QUERY(X)%");
    expect(twice.map(({ name }) => name)).toEqual(["envoy.formatter.req_without_query"]);
    expect(formatters("%CEL(request.path)% %METADATA(ROUTE:a)%")).toEqual([]);
  });
});
