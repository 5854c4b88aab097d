import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import type { CommonTlsContextSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import { isWildcard } from "../../config/host-name.ts";
import type { ClientTlsSettings } from "../../config/kinds/destination-rule.ts";
import type { Service } from "../../model/service.ts";
import { CLIENT_PARAMETERS } from "./parameters.ts";
import { certificateFiles, credential, credentialRoots, rootsFile, type SecretReference } from "./secret-references.ts";
import { exactName } from "./subject-names.ts";
import { clientSocket } from "./transport-sockets.ts";

type Common = MessageInitShape<typeof CommonTlsContextSchema>;

/**
 * TLS of a DestinationRule in SIMPLE and MUTUAL: the server must be who the rule, its ServiceEntry, or else its own
 * host name says [control-plane §7.6]. Where upstream asks for the name of each request, which only HTTP has, here the
 * service's name is asked for, which is the same but where a route rewrites the authority.
 */
export function originationSocket(service: Service, settings: ClientTlsSettings): TransportSocket {
  const sni = settings.sni === "" ? ownName(service) : settings.sni;
  return clientSocket({
    sni,
    commonTlsContext: {
      tlsParams: CLIENT_PARAMETERS,
      tlsCertificateSdsSecretConfigs: settings.mode === "MUTUAL" ? [clientCertificate(settings)] : [],
      validationContextType: validation(service, settings),
    },
  });
}

function clientCertificate({ credentialName, clientCertificate, privateKey }: ClientTlsSettings): SecretReference {
  return credentialName === "" ? certificateFiles(clientCertificate, privateKey) : credential(credentialName);
}

function validation(service: Service, settings: ClientTlsSettings): NonNullable<Common["validationContextType"]> {
  const { insecureSkipVerify, credentialName, caCertificates, caCrl } = settings;
  if (insecureSkipVerify) return { case: "validationContext", value: {} };
  const roots =
    credentialName === ""
      ? rootsFile(caCertificates === "" ? "system" : caCertificates)
      : credentialRoots(credentialName);
  return {
    case: "combinedValidationContext",
    value: {
      defaultValidationContext: {
        matchTypedSubjectAltNames: serverNames(service, settings).map(exactName),
        ...(caCrl === "" ? {} : { crl: { specifier: { case: "filename", value: caCrl } } }),
      },
      validationContextSdsSecretConfig: roots,
    },
  };
}

function serverNames(service: Service, { subjectAltNames, sni }: ClientTlsSettings): readonly string[] {
  if (subjectAltNames.length > 0) return subjectAltNames;
  if (service.subjectAltNames.length > 0) return service.subjectAltNames;
  const own = ownName(service);
  return sni === "" && own !== "" ? [own] : [];
}

/** A wildcard is no name that a certificate could be asked for. */
function ownName({ hostname }: Service): string {
  return isWildcard(hostname) ? "" : hostname;
}
