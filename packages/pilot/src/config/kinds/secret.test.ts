import { SystemClock } from "@mixerless/clock";
import { createRoot } from "@mixerless/identity/authority";
import { beforeAll, describe, expect, it } from "vitest";
import type { ConfigObject } from "../config-object.ts";
import { readConfig } from "../read-config.ts";

let certificate: string;
let privateKey: string;
let otherKey: string;

beforeAll(async () => {
  const now = new SystemClock().now();
  const [one, two] = await Promise.all([createRoot("a", now, 3_600_000), createRoot("b", now, 3_600_000)]);
  certificate = one["ca-cert.pem"];
  privateKey = one["ca-key.pem"];
  otherKey = two["ca-key.pem"];
});

const base64 = (text: string) => Buffer.from(text).toString("base64");

function reading(fields: object) {
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "gw" }, ...fields };
  const { objects, faults } = readConfig({ file: "s.yaml", text: JSON.stringify(object) });
  return { secret: objects[0] as ConfigObject<"Secret"> | undefined, faults };
}

const codes = (fields: object) => reading(fields).faults.map(({ code, path }) => `${code} ${path}`.trim());

describe("a Secret", () => {
  it("is read by Kubernetes' names and by those of generic ones", () => {
    const data = { "tls.crt": base64(certificate), "tls.key": base64(privateKey), "ca.crt": base64(certificate) };
    const { secret, faults } = reading({ type: "kubernetes.io/tls", data });
    expect(faults).toEqual([]);
    expect(secret?.spec.reveal()).toMatchObject({ certificate, privateKey, authorities: certificate });
    const generic = reading({ stringData: { cert: certificate, key: privateKey, cacert: certificate } });
    expect(generic.secret?.spec.reveal()).toMatchObject({ certificate, privateKey, authorities: certificate });
  });

  it("shows nothing of what it holds, and still tells when that changes", () => {
    const shown = (key: string) => {
      const { secret } = reading({ stringData: { "tls.crt": certificate, "tls.key": key, password: "hunter2" } });
      return JSON.stringify([secret, secret?.raw, secret?.spec]);
    };
    const all =
      shown(privateKey) + JSON.stringify(reading({ stringData: { "tls.crt": certificate, "tls.key": otherKey } }));
    for (const secret of [privateKey, otherKey, "hunter2", "BEGIN"]) expect(all).not.toContain(secret.slice(0, 60));
    const same = reading({ stringData: { a: "x" } }).secret?.raw;
    expect(reading({ stringData: { a: "x" } }).secret?.raw).toEqual(same);
    expect(reading({ stringData: { a: "y" } }).secret?.raw).not.toEqual(same);
  });

  it("must have a certificate with its own key", () => {
    const type = "kubernetes.io/tls";
    expect(codes({ type, stringData: { "tls.crt": certificate } })).toEqual(["missing-certificate"]);
    expect(codes({ type, stringData: { "tls.crt": "none", "tls.key": privateKey } })).toEqual(["bad-certificate"]);
    expect(codes({ type, stringData: { "tls.crt": certificate, "tls.key": "none" } })).toEqual(["bad-key"]);
    expect(codes({ type, stringData: { "tls.crt": certificate, "tls.key": otherKey } })).toEqual(["bad-key"]);
    expect(codes({ type, data: { "tls.crt": "!!", "tls.key": base64(privateKey) } })).toContain(
      'bad-base64 data["tls.crt"]',
    );
  });

  it("tells of a wrong value where it is, and not what it is", () => {
    const { faults } = reading({ stringData: { "tls.key": 4711 } });
    expect(faults.map(({ code, path, line }) => `${code} ${path} ${line}`)).toEqual([
      'wrong-type stringData["tls.key"] 1',
    ]);
    expect(JSON.stringify(faults)).not.toContain("4711");
  });

  it("that is not about TLS is left alone", () => {
    expect(codes({ stringData: { key: "value", cert: "of something" } })).toEqual([]);
    expect(codes({ type: "helm.sh/release.v1", data: { release: "!!" } })).toEqual([]);
  });
});
