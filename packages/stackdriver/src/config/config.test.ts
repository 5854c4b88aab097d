import { describe, expect, it } from "vitest";
import { ExportingHost, type ExportingHostOptions } from "../testing/exporting-host.ts";
import { readCloudSettings } from "./endpoints.ts";
import { type Platform, platformOf } from "./platform.ts";
import { readPluginConfig } from "./plugin-config.ts";

function node(metadata: Readonly<Record<string, unknown>>) {
  return (...path: string[]) => {
    let value: unknown = metadata;
    for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
    return typeof value === "string" ? value : "";
  };
}

describe("the configuration", () => {
  it("has upstream's defaults, and reads both spellings", () => {
    expect(readPluginConfig("").config).toMatchObject({
      ...{ serverLogging: true, accessLogging: "NONE", batchBytes: 4_000_000, logInterval: 10_000, metricExpiry: 0 },
      ...{ hostHeaderFallback: true, compression: false, warnings: [] },
    });
    const text = JSON.stringify({
      logReportDuration: "0.5s",
      max_log_batch_size_in_bytes: "1000",
      access_logging: "FULL",
    });
    expect(readPluginConfig(text).config).toMatchObject({ accessLogging: "FULL", batchBytes: 1000, logInterval: 500 });
  });

  it.each([
    ["{", /^the configuration is not JSON: /],
    ["[]", /^the configuration is not a JSON object$/],
    ['{"access_logging":"FULLY"}', /^access_logging: "FULLY" is none of NONE, FULL, ERRORS_ONLY$/],
    ['{"log_report_duration":10}', /^log_report_duration: expected a duration in seconds such as "10s", got 10$/],
    [
      '{"maxLogBatchSizeInBytes":-1}',
      /^max_log_batch_size_in_bytes: expected a whole number from 1 to 9000000, got -1$/,
    ],
    ['{"enable_log_compression":"yes"}', /^enable_log_compression: expected true or false, got a string$/],
    [
      '{"metrics_overrides":{"server/request_count":{"tag_overrides":{"api_name":1}}}}',
      /^metrics_overrides\["server\/request_count"\]\.tag_overrides\["api_name"\]: expected a text, got a number$/,
    ],
    ['{"custom_log_config":[]}', /^custom_log_config: expected an object, got a list$/],
  ])("%s is refused by field", (text, fault) => {
    const { faults = [] } = readPluginConfig(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  it("says what has no effect", () => {
    const text = JSON.stringify({ enable_audit_log: true, enable_mesh_edges_reporting: false, what: 1 });
    expect(readPluginConfig(text).config?.warnings).toEqual([
      "enable_audit_log has no effect: audit entries are not written",
      'unknown field "what" is ignored',
    ]);
  });

  it("that is refused refuses the filter; what the node lacks only costs the export", async () => {
    const host = (options: ExportingHostOptions) => new ExportingHost(options).host;
    const refused = host({ configuration: { access_logging: 9 } });
    expect(refused.accepted).toEqual([false]);
    expect(refused.logs).toEqual(["4: stackdriver: access_logging: 9 is none of NONE, FULL, ERRORS_ONLY"]);
    const homeless = host({ node: { PLATFORM_METADATA: {} } });
    expect(homeless.accepted).toEqual([true]);
    expect(homeless.logs.join()).toContain("nothing is exported: the node's PLATFORM_METADATA has no gcp_project");
    const lost = host({ node: { STACKDRIVER_ENDPOINT: "http://x" } });
    expect(lost.logs.join()).toContain('the node\'s STACKDRIVER_ENDPOINT is "http://x", not a host and port');
    homeless.open().end();
  });
});

describe("endpoints", () => {
  const settings = (metadata: Readonly<Record<string, string>>) => {
    const read = readCloudSettings(node(metadata), () => {});
    return Array.isArray(read) ? read : { metrics: read.metrics, logs: read.logs };
  };
  const google = (name: string) => ({ address: `${name}.googleapis.com:443`, secure: true });

  it("are Google's by TLS unless the node names others", () => {
    expect(settings({})).toEqual({ metrics: google("monitoring"), logs: google("logging") });
    const own = { address: "cloud.test:443", secure: true };
    expect(settings({ SECURE_STACKDRIVER_ENDPOINT: "cloud.test" })).toEqual({ metrics: own, logs: own });
  });

  it("are in clear only where the node says so", () => {
    const clear = { address: "127.0.0.1:4000", secure: false };
    expect(settings({ STACKDRIVER_ENDPOINT: "127.0.0.1:4000" })).toEqual({ metrics: clear, logs: clear });
    expect(settings({ STACKDRIVER_MONITORING_ENDPOINT: "127.0.0.1:4000" })).toEqual({
      metrics: clear,
      logs: google("logging"),
    });
    const both = { SECURE_STACKDRIVER_ENDPOINT: "cloud.test:1", STACKDRIVER_ENDPOINT: "127.0.0.1:4000" };
    expect(settings(both)).toMatchObject({ logs: { secure: true } });
  });

  it.each(["x", "127.0.0.1", "127.0.0.1:0", "a b:1", "http://a:1", "a:99999"])("in clear are not %j", (text) => {
    expect(settings({ STACKDRIVER_ENDPOINT: text })).toEqual([expect.stringContaining("not a host and port")]);
  });
});

describe("resources", () => {
  const place = { gcp_project: "p", gcp_location: "us-1", gcp_project_number: "9" };
  const types = ({ serverMetrics, clientMetrics, serverLogs, clientLogs }: Platform) =>
    [serverMetrics, clientMetrics, serverLogs, clientLogs].map(({ type }) => type);

  it("are the container and the pod in a cluster", () => {
    const metadata = {
      PLATFORM_METADATA: { ...place, gcp_gke_cluster_name: "c" },
      APP_CONTAINERS: "a,b",
      MESH_ID: "m",
    };
    const platform = platformOf(node(metadata));
    expect(types(platform)).toEqual(["k8s_container", "k8s_pod", "k8s_container", "k8s_pod"]);
    expect(platform.serverMetrics.labels.container_name).toBe("istio-proxy");
    expect(platform.meshUid).toBe("proj-9");
  });

  it("are the instance or a node outside, for logs the other one, as upstream's", () => {
    const instance = { PLATFORM_METADATA: { ...place, gcp_gce_instance_id: "1" } };
    expect(types(platformOf(node(instance)))).toEqual(["gce_instance", "gce_instance", "generic_node", "generic_node"]);
    const other = platformOf(
      node({ PLATFORM_METADATA: { gcp_project: "p" }, MESH_ID: "proj-1", INSTANCE_IPS: "1.2.3.4" }),
    );
    expect(types(other)).toEqual(["generic_node", "generic_node", "gce_instance", "gce_instance"]);
    expect(other.serverMetrics.labels.node_id).toBe("1.2.3.4");
    expect(other.meshUid).toBe("proj-1");
  });
});
