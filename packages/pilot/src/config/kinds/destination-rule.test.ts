import { describe, expect, test } from "vitest";
import { errors, read, verdicts, warnings } from "../testing/verdicts.ts";

const dr = (spec: string) => errors("DestinationRule", spec);
const policy = (text: string) => dr(`host: reviews\ntrafficPolicy: {${text}}`);
const P = "spec.trafficPolicy";

test("a rule with subsets is read into its normal form", () => {
  const { spec } = read(
    "DestinationRule",
    `
      host: reviews
      trafficPolicy:
        loadBalancer: {simple: ROUND_ROBIN, warmupDurationSecs: 30s}
        connectionPool: {tcp: {maxConnections: 10, idleTimeout: 0s}, http: {http2MaxRequests: 5}}
        portLevelSettings:
        - port: {number: 9080}
          loadBalancer: {consistentHash: {httpHeaderName: x-user}}
      subsets:
      - {name: v1, labels: {version: v1}}
    `,
  );
  expect(spec.trafficPolicy?.loadBalancer).toEqual({ simple: "ROUND_ROBIN", warmup: { duration: 30_000 } });
  expect(spec.trafficPolicy?.connectionPool?.tcp).toEqual({ maxConnections: 10, idleTimeout: 0 });
  expect(spec.trafficPolicy?.portLevelSettings[0]).toEqual({
    port: 9080,
    loadBalancer: {
      consistentHash: {
        key: { type: "header", name: "x-user" },
        algorithm: "ring-hash",
        minimumRingSize: 1024,
      },
    },
  });
  expect(spec.subsets).toEqual([{ name: "v1", labels: { version: "v1" } }]);
});

describe("host and subsets", () => {
  test("the host is a name or a wildcard", () => {
    expect(dr('host: "*.example.com"')).toEqual([]);
    expect(dr("host: 1.1.1.1")).toEqual(["bad-host spec.host"]);
    expect(dr("subsets: []")).toEqual(["missing-field spec"]);
  });

  test("subset names are labels and unique", () => {
    expect(dr("host: a\nsubsets: [{name: v1}, {name: v1}]")).toEqual(["repeated-name spec.subsets[1].name"]);
    expect(dr('host: a\nsubsets: [{name: ""}]')).toEqual(["bad-name spec.subsets[0].name"]);
    expect(dr("host: a\nsubsets: [{name: v1, labels: {a: 'b c'}}]")).toEqual(["bad-label spec.subsets[0].labels.a"]);
  });

  test("a rule for selected workloads stays in its namespace", () => {
    const selected = (exportTo: string) =>
      dr(`host: a\nexportTo: [${exportTo}]\nworkloadSelector: {matchLabels: {app: x}}`);
    expect(selected(".")).toEqual([]);
    expect(selected("default")).toEqual([]);
    expect(selected("other")).toEqual(["bad-export spec.exportTo[0]"]);
  });

  test("a selector without labels draws a warning", () => {
    expect(verdicts("DestinationRule", "host: a\nworkloadSelector: {}")).toEqual([
      "warning selects-everything spec.workloadSelector",
    ]);
  });
});

describe("traffic policy", () => {
  test("has at least one field", () => {
    expect(policy("")).toEqual([`empty-settings ${P}`]);
    expect(policy("connectionPool: {}")).toEqual([`empty-settings ${P}.connectionPool`]);
  });

  test("port level entries need port and one of four settings", () => {
    expect(policy("portLevelSettings: [{tls: {mode: SIMPLE}}]")).toEqual([`missing-field ${P}.portLevelSettings[0]`]);
    expect(policy("portLevelSettings: [{port: {number: 80}}]")).toEqual([`empty-settings ${P}.portLevelSettings[0]`]);
  });

  test("tunnel excludes proxyProtocol and names a target", () => {
    expect(policy("tunnel: {targetHost: a.com, targetPort: 443}, proxyProtocol: {version: V2}")).toEqual([
      `several-alternatives ${P}`,
    ]);
    expect(policy("tunnel: {targetHost: a_b, targetPort: 443}")).toEqual([`bad-host ${P}.tunnel.targetHost`]);
    expect(policy("tunnel: {protocol: GET, targetHost: a, targetPort: 0}")).toEqual([
      `unknown-value ${P}.tunnel.protocol`,
      `out-of-range ${P}.tunnel.targetPort`,
    ]);
  });
});

describe("outlier detection", () => {
  const outlier = (text: string) =>
    verdicts("DestinationRule", `host: a\ntrafficPolicy: {outlierDetection: {${text}}}`);
  const O = `${P}.outlierDetection`;

  test("percents, durations and split errors", () => {
    expect(outlier("consecutive5xxErrors: 3, interval: 1s, maxEjectionPercent: 100")).toEqual([]);
    expect(outlier("maxEjectionPercent: 101")).toEqual([`error out-of-range ${O}.maxEjectionPercent`]);
    expect(outlier("minHealthPercent: -1")).toEqual([`error out-of-range ${O}.minHealthPercent`]);
    expect(outlier("baseEjectionTime: 0s")).toEqual([`error bad-duration ${O}.baseEjectionTime`]);
    expect(outlier("consecutiveLocalOriginFailures: 3")).toEqual([`error local-errors-not-split ${O}`]);
    expect(outlier("consecutiveErrors: 3")).toEqual([`warning deprecated-field ${O}.consecutiveErrors`]);
  });
});

describe("connection pool", () => {
  test("numbers are not negative and durations at least a millisecond", () => {
    expect(policy("connectionPool: {tcp: {maxConnections: -1, connectTimeout: 0s}}")).toEqual([
      `out-of-range ${P}.connectionPool.tcp.maxConnections`,
      `bad-duration ${P}.connectionPool.tcp.connectTimeout`,
    ]);
    expect(policy("connectionPool: {http: {idleTimeout: 0s}}")).toEqual([
      `bad-duration ${P}.connectionPool.http.idleTimeout`,
    ]);
  });

  test("UPGRADE contradicts useClientProtocol", () => {
    expect(policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}")).toEqual([
      `contradicting-protocols ${P}.connectionPool.http`,
    ]);
  });
});

describe("load balancer", () => {
  const lb = (text: string) => policy(`loadBalancer: {${text}}`);
  const hash = (text: string) => lb(`consistentHash: {${text}}`);
  const L = `${P}.loadBalancer`;

  test("one algorithm, one key", () => {
    expect(lb("simple: RANDOM, consistentHash: {useSourceIp: true}")).toEqual([`several-alternatives ${L}`]);
    expect(hash("useSourceIp: true, httpHeaderName: a")).toEqual([`several-alternatives ${L}.consistentHash`]);
    expect(hash("useSourceIp: true, minimumRingSize: 2, ringHash: {}")).toEqual([
      `several-alternatives ${L}.consistentHash`,
    ]);
  });

  test("cookies have a name; attributes have distinct names", () => {
    expect(hash("httpCookie: {ttl: 0s, name: u}")).toEqual([]);
    expect(hash("httpCookie: {ttl: 0s}")).toEqual([`missing-field ${L}.consistentHash.httpCookie`]);
    expect(hash("httpCookie: {name: u, attributes: [{name: a}, {name: A}]}")).toEqual([
      `repeated-name ${L}.consistentHash.httpCookie.attributes[1]`,
    ]);
  });

  test("the maglev table is a prime below 5000011", () => {
    expect(hash("useSourceIp: true, maglev: {tableSize: 65537}")).toEqual([]);
    for (const size of [0, 4, 5_000_011]) {
      expect(hash(`useSourceIp: true, maglev: {tableSize: ${size}}`)).toEqual([
        `bad-table-size ${L}.consistentHash.maglev.tableSize`,
      ]);
    }
  });

  test("ring size: 1024 by default, left to Envoy by an empty ringHash, the old field with a warning", () => {
    const size = (text: string) =>
      read("DestinationRule", `host: a\ntrafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true${text}}}}`)
        .spec.trafficPolicy?.loadBalancer?.consistentHash?.minimumRingSize;
    expect(size("")).toBe(1024);
    expect(size(", ringHash: {}")).toBeUndefined();
    expect(size(", ringHash: {minimumRingSize: 7}")).toBe(7);
    expect(size(", minimumRingSize: 9")).toBe(9);
    expect(
      warnings("DestinationRule", "host: a\ntrafficPolicy: {loadBalancer: {consistentHash: {minimumRingSize: 9}}}"),
    ).toEqual([`deprecated-field ${L}.consistentHash.minimumRingSize`]);
  });

  test("warm-up", () => {
    expect(lb("warmup: {minimumPercent: 10}")).toEqual([`missing-field ${L}.warmup`]);
    expect(lb("warmup: {duration: 1s, minimumPercent: 101}")).toEqual([`out-of-range ${L}.warmup.minimumPercent`]);
    expect(lb("warmup: {duration: 1s, aggression: 0.5}")).toEqual([`out-of-range ${L}.warmup.aggression`]);
  });

  describe("locality", () => {
    const locality = (text: string) => policy(`loadBalancer: {localityLbSetting: {${text}}}, outlierDetection: {}`);
    const X = `${L}.localityLbSetting`;

    test("distribute excludes failover", () => {
      expect(locality("distribute: [{from: r1/*, to: {r1/*: 100}}], failover: [{from: a, to: b}]")).toEqual([
        `several-alternatives ${X}`,
      ]);
    });

    test("weights are 1 to 100 and sum to 100", () => {
      expect(locality("distribute: [{from: r1/z1/*, to: {r1/z1/*: 80, r2/*: 20}}]")).toEqual([]);
      expect(locality("distribute: [{from: r1/*, to: {r1/*: 80, r2/*: 10}}]")).toEqual([
        `bad-weights ${X}.distribute[0].to`,
      ]);
      expect(locality("distribute: [{from: r1/*, to: {r1/*: 100, r2/*: 0}}]")).toEqual([
        `out-of-range ${X}.distribute[0].to["r2/*"]`,
      ]);
    });

    test("localities do not overlap and have * at the end only", () => {
      expect(locality("distribute: [{from: r1/*, to: {r1/z1/*: 50, r1/*: 50}}]")).toEqual([
        `overlapping-localities ${X}.distribute[0].to["r1/*"]`,
      ]);
      expect(locality("distribute: [{from: '*/z1', to: {r1: 100}}]")).toEqual([`bad-locality ${X}.distribute[0].from`]);
      expect(locality("distribute: [{from: r1, to: {r1: 100}}, {from: r1/z1, to: {r2: 100}}]")).toEqual([
        `overlapping-localities ${X}.distribute[1].from`,
      ]);
    });

    test("failover leads to another region", () => {
      expect(locality("failover: [{from: r1, to: r1}]")).toEqual([`bad-failover ${X}.failover[0]`]);
      expect(locality("failover: [{from: r1/z1, to: r2}]")).toEqual([`bad-failover ${X}.failover[0]`]);
    });

    test("failover without outlier detection draws a warning", () => {
      const text = "host: a\ntrafficPolicy: {loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}}";
      expect(verdicts("DestinationRule", text)).toEqual([`warning failover-without-detection ${P}`]);
    });
  });
});

describe("tls", () => {
  const tls = (text: string) => policy(`tls: {${text}}`);
  const T = `${P}.tls`;

  test("MUTUAL needs a certificate or a credential", () => {
    expect(tls("mode: MUTUAL, clientCertificate: /c, privateKey: /k")).toEqual([]);
    expect(tls("mode: MUTUAL, credentialName: x")).toEqual([]);
    expect(tls("mode: MUTUAL, clientCertificate: /c")).toEqual([`missing-certificate ${T}`]);
  });

  test("a credential excludes files", () => {
    expect(tls("mode: SIMPLE, credentialName: x, caCertificates: /ca")).toEqual([`several-alternatives ${T}`]);
  });

  test("insecureSkipVerify excludes what it switches off", () => {
    expect(tls("mode: SIMPLE, insecureSkipVerify: true")).toEqual([]);
    expect(tls("mode: SIMPLE, insecureSkipVerify: true, caCertificates: /ca")).toEqual([
      `contradicting-verification ${T}`,
    ]);
    expect(tls("mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a]")).toEqual([
      `contradicting-verification ${T}`,
    ]);
    expect(tls("mode: SIMPLE, insecureSkipVerify: true, credentialName: x")).toEqual([
      `contradicting-verification ${T}`,
    ]);
  });
});
