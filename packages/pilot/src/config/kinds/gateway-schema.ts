// Gateway (§8.2).
import type { Cursor } from "../schema/cursor.ts";
import {
  isDnsLabel,
  isIP,
  isUnixAddress,
  reportProblem,
  unixAddressProblem,
  wildcardDomainProblem,
} from "../schema/hosts.ts";
import { maps, object, optional, required, withDefault } from "../schema/object.ts";
import { checked, describe, list, type Reader, string } from "../schema/reader.ts";
import { checkPortNumber, checkProtocol, checkUnique, configPort } from "../schema/shared-readers.ts";
import type { GatewayServer, GatewaySpec } from "./gateway.ts";
import { serverTls } from "./server-tls-schema.ts";

const server: Reader<GatewayServer> = checked(
  object(
    {
      port: required(configPort),
      bind: withDefault(string, ""),
      hosts: required(list(string, { min: 1 })),
      tls: optional(serverTls),
      name: withDefault(string, ""),
    },
    { unused: { defaultEndpoint: string } },
  ),
  (read, at) => {
    checkBind(read, at);
    checkPort(read, at.at("port"));
    checkTls(read, at);
    read.hosts.forEach((host, index) => {
      checkServerHost(host, at.at("hosts").at(index));
    });
  },
);

export const gateway: Reader<GatewaySpec> = checked(
  object({ selector: maps(string), servers: required(list(server, { min: 1 })) }),
  (read, at) => {
    checkUnique(
      read.servers,
      (entry) => entry.port.name || undefined,
      (name, index, first) => {
        const here = at.at("servers").at(index).at("port").at("name");
        const message = `port names in servers must be unique: ${name} is also that of servers[${first}].`;
        here.error("repeated-name", message, "Rename one.");
      },
    );
  },
);

function checkBind({ bind, port }: GatewayServer, at: Cursor): void {
  if (isUnixAddress(bind)) {
    reportProblem(bind, unixAddressProblem(bind), "bad-address", "Write unix:///path or unix://@name.", at.at("bind"));
    if (port.number !== 0) {
      at.at("port").at("number").error("bad-port", "A Unix socket has no port number.", "Write 0.");
    }
    return;
  }
  if (bind !== "" && isIP(bind) === 0) {
    at.at("bind").error("bad-address", `${describe(bind)} is no IP address.`, "Use an address, or unix:///path.");
  }
  checkPortNumber(port.number, at.at("port").at("number"));
}

function checkPort({ port }: GatewayServer, at: Cursor): void {
  checkProtocol(port.protocol, at.at("protocol"));
  if (port.name === "") at.error("missing-field", "port name must be set.", "Add name.");
  else if (!isDnsLabel(port.name))
    at.at("name").error("bad-name", `${describe(port.name)} is no port name.`, "Use letters, digits and -.");
  if (port.targetPort !== undefined) {
    at.at("targetPort").error("unsupported", "targetPort is not allowed here.", "Remove it; the Service decides.");
  }
}

const HTTP_PROTOCOLS = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"];

function checkTls({ port, tls }: GatewayServer, at: Cursor): void {
  const protocol = port.protocol.toUpperCase();
  if (protocol === "HTTPS" || protocol === "TLS") {
    if (tls === undefined)
      at.error("missing-field", "server cannot have TLS settings missing for HTTPS and TLS ports.", "Add tls.");
    else if (tls.httpsRedirect) {
      at.at("tls")
        .at("httpsRedirect")
        .warn("redirect-unused", "httpsRedirect has effect on HTTP ports only.", "Remove it.");
    }
    return;
  }
  if (tls === undefined) return;
  if (!HTTP_PROTOCOLS.includes(protocol)) {
    at.at("tls").error(
      "tls-not-allowed",
      `A port of protocol ${port.protocol} ends no TLS.`,
      "Use protocol TLS or HTTPS.",
    );
  } else if (tls.certificates.length + tls.credentialNames.length > 0 || tls.caCertificates !== "") {
    const message = "A plain HTTP port takes only httpsRedirect of tls.";
    at.at("tls").error("tls-not-allowed", message, "Use protocol HTTPS, or remove the certificates.");
  }
}

/** `dns`, or `namespace/dns` with namespace `*`, `.` or a name; dns is `*`, an address or a name with a dot. */
function checkServerHost(text: string, at: Cursor): void {
  const parts = text.split("/");
  const host = parts.at(-1) ?? "";
  const namespace = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2) at.error("bad-host", `${describe(text)} has more than one /.`, "Write namespace/host.");
  if (namespace !== undefined && namespace !== "*" && namespace !== "." && !isDnsLabel(namespace)) {
    at.error("bad-host", `${describe(namespace)} is no namespace.`, "Use *, . or the name of a namespace.");
  }
  checkServedHost(host, at);
}

/** The host part in Gateway servers and Sidecar egress lists. */
export function checkServedHost(host: string, at: Cursor): void {
  if (host === "*" || isIP(host) !== 0) return;
  const cure = "Use *, a full host name, or *.example.com.";
  if (!host.includes(".")) {
    at.error("short-host", `short names (non FQDN) are not allowed: ${describe(host)}.`, cure);
  } else if (host.startsWith("*") && !host.startsWith("*.")) {
    at.error("bad-host", `${describe(host)}: a * stands for whole labels here.`, cure);
  } else {
    reportProblem(host, wildcardDomainProblem(host), "bad-host", cure, at);
  }
}
