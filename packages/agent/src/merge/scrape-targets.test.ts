import { describe, expect, it } from "vitest";
import { scrapeTargets } from "./scrape-targets.ts";

const annotated = (annotations: Record<string, string>) => scrapeTargets({}, annotations, 15020);
const variable = (value: unknown) =>
  scrapeTargets({ ISTIO_PROMETHEUS_ANNOTATIONS: typeof value === "string" ? value : JSON.stringify(value) }, {}, 15020);

describe("the application's endpoints", () => {
  it.each([
    [{}, []],
    [{ "prometheus.io/scrape": "true" }, [[80, "/metrics"]]],
    [
      { "prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/m?a=b" },
      [[8080, "/m?a=b"]],
    ],
    [{ "prometheus.io/port": "8080" }, [[8080, "/metrics"]]],
    [{ "prometheus.io/path": "/m" }, []],
    [{ "prometheus.io/scrape": "False", "prometheus.io/port": "8080" }, []],
    [{ "prometheus.io.scrape": "true", prometheus_io_port: "8080" }, [[8080, "/metrics"]]],
    [{ "prometheus.istio.io/scrape-targets": "8080" }, [[8080, "/metrics"]]],
    [
      { "prometheus.istio.io/scrape-targets": " 8080: , 9090:/m?x=1, 8080," },
      [
        [8080, "/metrics"],
        [9090, "/m?x=1"],
        [8080, "/metrics"],
      ],
    ],
    [{ "prometheus.istio.io/scrape-targets": " ,, " }, []],
    [{ "prometheus.istio.io/scrape-targets": "8080", "prometheus.io/port": "9090" }, [[8080, "/metrics"]]],
  ])("by the annotations %j", (annotations, expected) => {
    expect(annotated(annotations as Record<string, string>).map(({ port, path }) => [port, path])).toEqual(expected);
  });

  it.each([
    [{ scrape: "true" }, [[80, "/metrics"]]],
    [{ scrape: "", port: "8080", path: "stats" }, [[8080, "/stats"]]],
    [{ scrape: "FALSE", port: "8080" }, []],
    [
      {
        scrape: "true",
        port: "1",
        targets: [
          { port: "8080", path: "" },
          { port: 9090, path: "/x" },
        ],
      },
      [
        [8080, "/metrics"],
        [9090, "/x"],
      ],
    ],
  ])("by the variable of an injected pod, %j", (value, expected) => {
    expect(variable(value).map(({ port, path }) => [port, path])).toEqual(expected);
  });

  it("by the variable rather than by the annotations", () => {
    const environment = { ISTIO_PROMETHEUS_ANNOTATIONS: '{"scrape":"true","port":"1234"}' };
    expect(scrapeTargets(environment, { "prometheus.io/port": "8080" }, 15020)).toEqual([
      { port: 1234, path: "/metrics" },
    ]);
  });

  it.each(["15020", "015020", "15000", "015000", "15006", "15090"])(
    "are refused at port %s, which is the proxy's",
    (port) => {
      expect(() => annotated({ "prometheus.io/port": port })).toThrow(
        /prometheus.io\/port: port \d+ belongs to the proxy/,
      );
    },
  );

  it("are refused where the status port is another one", () => {
    expect(() => scrapeTargets({}, { "prometheus.io/port": "9999" }, 9999)).toThrow("belongs to the proxy");
  });

  it.each([
    [{ "prometheus.io/port": "abc" }, 'prometheus.io/port: "abc" is not a port'],
    [{ "prometheus.io/port": "0" }, "from 1 to 65535"],
    [{ "prometheus.istio.io/scrape-targets": ":/m" }, 'prometheus.istio.io/scrape-targets: "" is not a port'],
  ])("are refused by name when they are wrong: %j", (annotations, message) => {
    expect(() => annotated(annotations as unknown as Record<string, string>)).toThrow(message);
  });

  it("are refused when the variable is no object", () => {
    expect(() => variable("{")).toThrow(/ISTIO_PROMETHEUS_ANNOTATIONS is not JSON .*for example/);
    expect(() => variable("[]")).toThrow("must be an object");
  });
});
