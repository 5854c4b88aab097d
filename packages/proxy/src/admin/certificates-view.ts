import { readCertificate, splitCertificates } from "@mixerless/identity";
import type { SecretSource } from "../tls/secret-store.ts";

const DAY = 86_400_000;

/** Envoy's `/certs`: every secret that has come, by what its certificates say. Keys are not looked at. */
export function renderCertificates(secrets: SecretSource, now: number): string {
  const certificates = [...secrets.names()].sort().map((name) => {
    const secret = secrets.get(name);
    const authorities = secret !== null && "trustedCa" in secret ? describeAll(name, secret.trustedCa, now) : [];
    const chain =
      secret !== null && "certificateChain" in secret ? describeAll(name, secret.certificateChain, now) : [];
    return { ca_cert: authorities, cert_chain: chain };
  });
  return `${JSON.stringify({ certificates }, null, 1)}\n`;
}

function describeAll(name: string, pem: string, now: number): object[] {
  try {
    return splitCertificates(pem).map((one) => describe(name, one, now));
  } catch {
    return [{ path: name, fault: "holds no certificate" }];
  }
}

function describe(name: string, pem: string, now: number): object {
  const { serial, uriSans, dnsSans, notBefore, notAfter } = readCertificate(pem);
  return {
    path: name,
    serial_number: serial,
    subject_alt_names: [...uriSans.map((uri) => ({ uri })), ...dnsSans.map((dns) => ({ dns }))],
    days_until_expiration: String(Math.max(0, Math.floor((notAfter - now) / DAY))),
    valid_from: time(notBefore),
    expiration_time: time(notAfter),
  };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(".000Z", "Z");
}
