import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./process.mjs";

const OPENSSL = "openssl";

/** Whether certificates can be made here. */
export function canMakeCertificates() {
  return findProgram(OPENSSL) !== null;
}

/**
 * An authority, and a P-256 certificate of a server and one of a client that lead up to it, as a mesh has them:
 * paths by name, and `<name>.all.pem` with the key behind the certificate, as HAProxy wants it.
 */
export function makeCertificates(directory) {
  const at = (name) => join(directory, name);
  const openssl = (...args) => execFileSync(OPENSSL, args, { stdio: "pipe" });
  const key = (name) => openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(`${name}.key`));
  key("ca");
  openssl("req", "-x509", "-new", "-key", at("ca.key"), "-subj", "/CN=bench", "-days", "2", "-out", at("ca.pem"));
  for (const name of ["server", "client"]) {
    key(name);
    openssl("req", "-new", "-key", at(`${name}.key`), "-subj", `/CN=${name}`, "-out", at(`${name}.csr`));
    writeFileSync(at(`${name}.ext`), `subjectAltName=URI:spiffe://cluster.local/ns/default/sa/${name}\n`);
    const signed = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-extfile", at(`${name}.ext`)];
    openssl("x509", "-req", "-in", at(`${name}.csr`), ...signed, "-days", "2", "-out", at(`${name}.pem`));
    const both = readFileSync(at(`${name}.pem`), "utf8") + readFileSync(at(`${name}.key`), "utf8");
    writeFileSync(at(`${name}.all.pem`), both, { mode: 0o600 });
  }
  return { ca: at("ca.pem"), server: pair(at, "server"), client: pair(at, "client") };
}

function pair(at, name) {
  return { cert: at(`${name}.pem`), key: at(`${name}.key`), both: at(`${name}.all.pem`) };
}
