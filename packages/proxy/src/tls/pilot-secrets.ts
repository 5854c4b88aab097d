import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackAnyAs, validateMessage } from "@mixerless/wire";
import { type Secret, SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import type { ResourceFault, ResourceUpdate } from "@mixerless/xds";
import { type ConfigFault, describeFaults } from "../network/config-fault.ts";
import { keyPairOf, rootsOf } from "./compile-tls.ts";
import { type SecretSource, SecretStore, type SecretValue } from "./secret-store.ts";

/** Secrets that come over the stream to the control plane. They are in no dump, no log and no cache. */
export class PilotSecrets implements SecretSource {
  readonly #store: SecretStore;
  #wanted: ReadonlySet<string> = new Set();
  #ask: (names: ReadonlySet<string>) => void = () => {};

  constructor() {
    this.#store = new SecretStore((names) => {
      this.#wanted = names;
      this.#ask(names);
    });
  }

  get(name: string): SecretValue | null {
    return this.#store.get(name);
  }

  names(): Iterable<string> {
    return this.#store.names();
  }

  subscribe(name: string, onChange: () => void): () => void {
    return this.#store.subscribe(name, onChange);
  }

  /** Who is asked from now on. Nobody is asked for nothing. */
  askBy(ask: (names: ReadonlySet<string>) => void): void {
    this.#ask = ask;
    if (this.#wanted.size > 0) ask(this.#wanted);
  }

  /** Takes an update in; answers what was refused of it, without a word of what is in it. */
  take({ resources, removed }: ResourceUpdate): ResourceFault[] {
    for (const name of removed) this.#store.remove(name);
    return resources.flatMap(({ name, any }) => {
      const faults = this.#set(name, any);
      return faults.length === 0 ? [] : [{ name, message: describeFaults(faults) }];
    });
  }

  #set(name: string, any: Any): readonly ConfigFault[] {
    const unpacked = unpackAnyAs(any, SecretSchema);
    if (unpacked.message === undefined) return unpacked.faults.map(({ path }) => ({ path, message: "is not valid" }));
    const faults: ConfigFault[] = validateMessage(SecretSchema, unpacked.message).map(({ path }) => ({
      path,
      message: "is not valid",
    }));
    const value = secretValue(unpacked.message, faults);
    if (value !== null && faults.length === 0) this.#store.set(name, value);
    return faults;
  }
}

/** The name that a secret has inside, for responses that carry none. */
export function secretName(any: Any): string {
  return unpackAnyAs(any, SecretSchema).message?.name ?? "";
}

function secretValue({ type }: Secret, faults: ConfigFault[]): SecretValue | null {
  switch (type.case) {
    case "tlsCertificate":
      return keyPairOf(type.value, "tlsCertificate", faults);
    case "validationContext":
      return rootsOf(type.value, "validationContext", faults);
    default:
      faults.push({ path: type.case ?? "type", message: "is no secret that this proxy uses" });
      return null;
  }
}
