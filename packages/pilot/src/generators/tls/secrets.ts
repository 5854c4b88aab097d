import { create } from "@bufbuild/protobuf";
import { type Secret, SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import type { ConfigObject } from "../../config/config-object.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";

const CA_SUFFIX = "-cacert";

/**
 * The Secrets of the configuration that a gateway asks for by `credentialName`. They go to gateways alone, to those
 * of the Secret's own namespace, and only if the proxy has proven that it belongs there [control-plane §5.8].
 */
export function secrets(input: GeneratorInput, names: Iterable<string>): Generated<Secret>[] {
  if (input.authenticated !== true || input.proxy.type !== "router") return [];
  return [...names].flatMap((name) => secret(input, name) ?? []);
}

function secret(input: GeneratorInput, resource: string): Generated<Secret> | undefined {
  const place = placeOf(resource, input.proxy.namespace);
  if (place === undefined || place.namespace !== input.proxy.namespace) return undefined;
  if (!place.name.endsWith(CA_SUFFIX)) return keyPair(resource, find(input, place));
  const own = find(input, place);
  // The authorities may be a Secret of their own, or lie beside the certificate.
  return authorities(resource, own ?? find(input, { ...place, name: place.name.slice(0, -CA_SUFFIX.length) }));
}

interface Place {
  readonly namespace: string;
  readonly name: string;
}

function placeOf(resource: string, own: string): Place | undefined {
  const [scheme, rest = ""] = resource.split("://");
  if (scheme === "kubernetes") return { namespace: own, name: rest };
  const [namespace = "", name] = rest.split("/");
  return scheme === "kubernetes-gateway" && name !== undefined ? { namespace, name } : undefined;
}

function find({ push }: GeneratorInput, { namespace, name }: Place): ConfigObject<"Secret"> | undefined {
  return push.configs("Secret").find((config) => config.namespace === namespace && config.name === name);
}

function keyPair(name: string, config: ConfigObject<"Secret"> | undefined): Generated<Secret> | undefined {
  const { certificate = "", privateKey = "", ocspStaple = new Uint8Array() } = config?.spec.reveal() ?? {};
  if (certificate === "" || privateKey === "") return undefined;
  const message = create(SecretSchema, {
    name,
    type: {
      case: "tlsCertificate",
      value: {
        certificateChain: inline(certificate),
        privateKey: inline(privateKey),
        ...(ocspStaple.length === 0 ? {} : { ocspStaple: { specifier: { case: "inlineBytes", value: ocspStaple } } }),
      },
    },
  });
  return { name, message, provenance: from(config) };
}

function authorities(name: string, config: ConfigObject<"Secret"> | undefined): Generated<Secret> | undefined {
  const { authorities = "", revocations = "" } = config?.spec.reveal() ?? {};
  if (authorities === "") return undefined;
  const message = create(SecretSchema, {
    name,
    type: {
      case: "validationContext",
      value: { trustedCa: inline(authorities), ...(revocations === "" ? {} : { crl: inline(revocations) }) },
    },
  });
  return { name, message, provenance: from(config) };
}

function inline(text: string) {
  return { specifier: { case: "inlineBytes" as const, value: new Uint8Array(Buffer.from(text)) } };
}
