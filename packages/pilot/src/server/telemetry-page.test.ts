import { expect, it } from "vitest";
import { object, pod, proxy, pushOf } from "../model/testing/push-of.ts";
import { telemetryPage } from "./telemetry-page.ts";

const count = (more: object) => ({ metrics: [{ overrides: [{ match: { metric: "REQUEST_COUNT" }, ...more }] }] });

const current = pushOf([
  object("MeshConfig", "istio-system/mesh", { defaultProviders: { metrics: ["prometheus"] } }),
  pod("a-v1", "10.0.0.1"),
  object("Telemetry", "istio-system/root", count({ disabled: true, tagOverrides: { t: { value: "'1'" } } })),
  object("Telemetry", "default/all", {
    ...count({ match: { metric: "REQUEST_COUNT", mode: "CLIENT" }, disabled: false }),
    accessLogging: [{ providers: [{ name: "envoy" }], filter: { expression: "response.code >= 400" } }],
  }),
]);
const facts = { current, proxies: new Map([["1", proxy("a-v1")]]) };

const pageOf = (query: string) => {
  const { body, status } = telemetryPage(facts, new URLSearchParams(query));
  return { status, page: JSON.parse(String(body)) };
};

it("tells what a proxy measures and logs, by object, field and line, and what that overrode", () => {
  const { page } = pageOf("proxyID=a-v1.default");
  expect(page.objects.map((entry: { object: string }) => entry.object)).toEqual([
    "Telemetry istio-system/root",
    "Telemetry default/all",
  ]);
  const root = { object: "Telemetry istio-system/root", file: "test.yaml", line: 5 };
  const disabled = { ...root, value: true, path: "spec.metrics[0].overrides[0].disabled" };
  const tag = { operation: "UPSERT", value: "'1'" };
  expect(page.server.metrics.settings).toEqual([
    {
      name: "prometheus",
      metrics: [
        {
          metric: "REQUEST_COUNT",
          disabled,
          tags: { t: { ...root, value: tag, path: "spec.metrics[0].overrides[0].tagOverrides.t" } },
        },
      ],
    },
  ]);
  expect(page.client.metrics.settings[0].metrics[0].disabled).toEqual({
    object: "Telemetry default/all",
    file: "test.yaml",
    line: 7,
    value: false,
    path: "spec.metrics[0].overrides[0].disabled",
    overrode: disabled,
  });
  expect(page.client.accessLogs.logs).toMatchObject([
    {
      name: "envoy",
      enabled: { value: true, path: "spec.accessLogging[0]" },
      filter: { value: "response.code >= 400", path: "spec.accessLogging[0].filter.expression" },
    },
  ]);
});

it("says which proxies can be named where there is none of that name", () => {
  expect(pageOf("proxyID=b").status).toBe(404);
  expect(pageOf("proxyID=b").page.error).toContain('No proxy "b" is connected');
});
