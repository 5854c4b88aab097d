import { describe, expect, test } from "vitest";
import { readConfig } from "../read-config.ts";
import { errors, manifest, read, verdicts, warnings } from "../testing/verdicts.ts";

const HTTP = "port: {number: 80, protocol: HTTP, name: http}";
const HTTPS = "port: {number: 443, protocol: HTTPS, name: https}";
const server = (text: string) => errors("Gateway", `servers: [{${text}}]`);
const S = "spec.servers[0]";

test("a server is read into its normal form", () => {
  const { spec } = read(
    "Gateway",
    `
      selector: {istio: ingressgateway}
      servers:
      - port: {number: 443, protocol: HTTPS, name: https}
        hosts: ["*", ns/a.com]
        tls: {mode: SIMPLE, credentialName: cert}
    `,
  );
  expect(spec.servers[0]?.tls?.credentialNames).toEqual(["cert"]);
  expect(spec.servers[0]?.hosts).toEqual(["*", "ns/a.com"]);
});

describe("gateway", () => {
  test("has a name without dots", () => {
    const text = manifest("Gateway", `servers: [{${HTTP}, hosts: ["*"]}]`, "a.b");
    expect(readConfig({ file: "x", text }).faults.map(({ code }) => code)).toEqual(["bad-name"]);
  });

  test("has servers with hosts", () => {
    expect(errors("Gateway", "selector: {}")).toEqual(["missing-field spec"]);
    expect(errors("Gateway", "servers: []")).toEqual(["wrong-count spec.servers"]);
    expect(errors("Gateway", "servers: [null]")).toEqual(["empty-entry spec.servers[0]"]);
    expect(server(`${HTTP}, hosts: []`)).toEqual([`wrong-count ${S}.hosts`]);
  });

  test("port names are unique", () => {
    expect(errors("Gateway", `servers: [{${HTTP}, hosts: ["*"]}, {${HTTP}, hosts: ["*"]}]`)).toEqual([
      "repeated-name spec.servers[1].port.name",
    ]);
  });
});

describe("port and bind", () => {
  const port = (text: string, bind = "") => server(`port: {${text}}, hosts: ["*"]${bind}`);

  test("number, known protocol and name are needed", () => {
    expect(port("number: 80, protocol: GRPC-Web, name: a")).toEqual([]);
    expect(port("number: 0, protocol: HTTP, name: a")).toEqual([`bad-port ${S}.port.number`]);
    expect(port("number: 80, protocol: FTP, name: a")).toEqual([`unknown-protocol ${S}.port.protocol`]);
    expect(port("number: 80, protocol: HTTP")).toEqual([`missing-field ${S}.port`]);
    expect(port("number: 80, protocol: HTTP, name: a, targetPort: 8080")).toEqual([`unsupported ${S}.port.targetPort`]);
  });

  test("bind is an address or a Unix socket with port 0", () => {
    expect(port("number: 80, protocol: HTTP, name: a", ", bind: 1.2.3.4")).toEqual([]);
    expect(port("number: 80, protocol: HTTP, name: a", ", bind: a.com")).toEqual([`bad-address ${S}.bind`]);
    expect(port("number: 0, protocol: HTTP, name: a", ", bind: 'unix:///run/x'")).toEqual([]);
    expect(port("number: 0, protocol: HTTP, name: a", ", bind: 'unix://@x'")).toEqual([]);
    expect(port("number: 0, protocol: HTTP, name: a", ", bind: 'unix://x'")).toEqual([`bad-address ${S}.bind`]);
    expect(port("number: 80, protocol: HTTP, name: a", ", bind: 'unix:///run/x'")).toEqual([
      `bad-port ${S}.port.number`,
    ]);
  });
});

describe("hosts", () => {
  test.each(['"*"', '"*.a.com"', "a.com", "1.2.3.4", '"*/a.com"', "./a.com", "ns/a.com", '"ns/*"'])(
    "%s is allowed",
    (host) => {
      expect(server(`${HTTP}, hosts: [${host}]`)).toEqual([]);
    },
  );

  test.each([
    ["short", "short-host"],
    ['"*x.com"', "bad-host"],
    ["~/a.com", "bad-host"],
    ["a/b/c.com", "bad-host"],
    ["a..com", "bad-host"],
  ])("%s is refused", (host, code) => expect(server(`${HTTP}, hosts: [${host}]`)).toEqual([`${code} ${S}.hosts[0]`]));
});

describe("tls", () => {
  const tls = (text: string) => verdicts("Gateway", `servers: [{${HTTPS}, hosts: ["*"], tls: {${text}}}]`);
  const T = `${S}.tls`;

  test("is needed on HTTPS and TLS ports, allowed on HTTP for redirects only", () => {
    expect(server(`${HTTPS}, hosts: ["*"]`)).toEqual([`missing-field ${S}`]);
    expect(server(`${HTTP}, hosts: ["*"], tls: {httpsRedirect: true}`)).toEqual([]);
    expect(server(`${HTTP}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: x}`)).toEqual([`tls-not-allowed ${T}`]);
    const tcp = "port: {number: 9, protocol: TCP, name: t}";
    expect(server(`${tcp}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: x}`)).toEqual([`tls-not-allowed ${T}`]);
    expect(tls("mode: SIMPLE, credentialName: x, httpsRedirect: true")).toEqual([
      `warning redirect-unused ${T}.httpsRedirect`,
    ]);
  });

  test("certificates come from one place", () => {
    expect(tls("mode: SIMPLE, credentialName: x")).toEqual([]);
    expect(tls("mode: SIMPLE, serverCertificate: /c, privateKey: /k")).toEqual([]);
    expect(tls("mode: SIMPLE, credentialName: x, credentialNames: [y]")).toEqual([`error several-alternatives ${T}`]);
    expect(tls("mode: SIMPLE, credentialName: x, serverCertificate: /c, privateKey: /k")).toEqual([
      `error several-alternatives ${T}`,
    ]);
    expect(tls("mode: SIMPLE, serverCertificate: /c")).toEqual([`error missing-certificate ${T}`]);
    expect(tls("mode: MUTUAL, serverCertificate: /c, privateKey: /k")).toEqual([`error missing-certificate ${T}`]);
    expect(tls("mode: OPTIONAL_MUTUAL, serverCertificate: /c, privateKey: /k")).toEqual([
      `error missing-certificate ${T}`,
    ]);
  });

  test("ISTIO_MUTUAL brings its own", () => {
    expect(tls("mode: ISTIO_MUTUAL")).toEqual([]);
    for (const field of ["credentialName: x", "serverCertificate: /c", "caCertificates: /ca", "credentialNames: [x]"]) {
      expect(tls(`mode: ISTIO_MUTUAL, ${field}`)).toEqual([`error certificate-not-allowed ${T}`]);
    }
  });

  test("a CRL goes neither with credentialName nor with SIMPLE", () => {
    expect(tls("mode: MUTUAL, credentialName: x, caCrl: /crl")).toEqual([
      `error contradicting-verification ${T}.caCrl`,
    ]);
    expect(tls("mode: SIMPLE, serverCertificate: /c, privateKey: /k, caCrl: /crl")).toEqual([
      `error contradicting-verification ${T}.caCrl`,
    ]);
  });

  test("what is accepted but useless draws warnings", () => {
    expect(tls("mode: PASSTHROUGH, credentialName: x")).toEqual([`warning certificate-unused ${T}`]);
    expect(tls("mode: SIMPLE, credentialName: x, minProtocolVersion: TLSV1_0")).toEqual([
      `warning old-tls-version ${T}.minProtocolVersion`,
    ]);
    const pair = "{serverCertificate: /c, privateKey: /k}";
    expect(tls(`mode: SIMPLE, tlsCertificates: [${pair}, ${pair}, ${pair}]`)).toEqual([
      `warning too-many-certificates ${T}.tlsCertificates`,
    ]);
    const ciphers = "mode: SIMPLE, credentialName: x, cipherSuites: [AES128-SHA, nope, AES128-SHA]";
    expect(warnings("Gateway", `servers: [{${HTTPS}, hosts: ["*"], tls: {${ciphers}}}]`)).toEqual([
      `unknown-cipher ${T}.cipherSuites[1]`,
      `repeated-name ${T}.cipherSuites[2]`,
    ]);
    const { spec } = read("Gateway", `servers: [{${HTTPS}, hosts: ["*"], tls: {${ciphers}}}]`);
    expect(spec.servers[0]?.tls?.cipherSuites).toEqual(["AES128-SHA"]);
  });
});
