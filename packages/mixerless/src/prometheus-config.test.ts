import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { prometheusConfig } from "./prometheus-config.ts";

const options = { pilot: "http://127.0.0.1:8080", interval: "15s" } as const;

function jobs(scrape: "merged" | "split"): Record<string, string | undefined> {
  const config = parse(prometheusConfig({ ...options, scrape })) as {
    scrape_configs: { job_name: string; http_sd_configs?: { url: string }[] }[];
  };
  return Object.fromEntries(config.scrape_configs.map((job) => [job.job_name, job.http_sd_configs?.[0]?.url]));
}

describe("the scrape configuration", () => {
  it("takes istio_* from the agents alone when merged", () => {
    expect(jobs("merged")).toEqual({
      "mixerless-pilot": undefined,
      workloads: "http://127.0.0.1:8080/sd/prometheus?scrape=merged",
    });
  });

  it("takes istio_* from the proxies alone when split, and applications beside them", () => {
    expect(jobs("split")).toEqual({
      "mixerless-pilot": undefined,
      proxies: "http://127.0.0.1:8080/sd/prometheus?scrape=proxy",
      applications: "http://127.0.0.1:8080/sd/prometheus?scrape=application",
    });
  });

  it("says how often, and scrapes the control plane where its pages are", () => {
    expect(parse(prometheusConfig({ ...options, scrape: "merged" }))).toMatchObject({
      global: { scrape_interval: "15s" },
      scrape_configs: [{ static_configs: [{ targets: ["127.0.0.1:8080"] }] }, {}],
    });
  });
});
