import { isFileSecret } from "./file-secrets.ts";
import type { SecretSource, SecretValue } from "./secret-store.ts";

export interface SecretSources {
  /** `default`, `ROOTCA` and whatever else has no scheme. */
  readonly agent: SecretSource;
  readonly files: SecretSource;
  readonly pilot: SecretSource;
}

const FROM_PILOT = /^(kubernetes|kubernetes-gateway|configmap):\/\//;

/** Every secret from where its name says [control-plane §5.8]. */
export class RoutedSecrets implements SecretSource {
  readonly #sources: SecretSources;

  constructor(sources: SecretSources) {
    this.#sources = sources;
  }

  get(name: string): SecretValue | null {
    return this.#of(name).get(name);
  }

  names(): Iterable<string> {
    const { agent, files, pilot } = this.#sources;
    return [...agent.names(), ...files.names(), ...pilot.names()];
  }

  subscribe(name: string, onChange: () => void): () => void {
    return this.#of(name).subscribe(name, onChange);
  }

  #of(name: string): SecretSource {
    const { agent, files, pilot } = this.#sources;
    return FROM_PILOT.test(name) ? pilot : isFileSecret(name) ? files : agent;
  }
}
