// The library's dependency injection reads metadata at import time, so the order of these two lines matters.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

export { x509 };

/** Keys of workloads and of self-made roots. */
export const EC_P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
export const { subtle } = webcrypto;
