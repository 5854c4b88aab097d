import type { HttpConnectionManager } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import {
  HttpConnectionManager_ForwardClientCertDetails as CertDetails,
  HttpConnectionManager_ServerHeaderTransformation as ServerTransformation,
  HttpConnectionManager_PathWithEscapedSlashesAction as SlashesAction,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { compileAccessLoggers } from "../../access-log/access-logger.ts";
import { addFaults, type Compiled, type ConfigFault, compiledUnless } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import { milliseconds } from "../routing/duration.ts";
import { compileRouteTable } from "../routing/route-table.ts";
import { type Network, parseNetwork } from "./client-address.ts";
import type { ClientCertificateOptions } from "./client-certificate.ts";
import { compileCodecOptions } from "./compile-codec.ts";
import { compileHttpFilters } from "./compile-filters.ts";
import { compileLocalReplyConfig } from "./local-reply-config.ts";
import type { ManagerConfig, RequestHeaderOptions, ResponseHeaderOptions } from "./manager-config.ts";
import type { PathOptions } from "./path-normalization.ts";

/** Envoy's, where the listener has none. */
const BUFFER_LIMIT = 1024 * 1024;

/** Compiles the message of a connection manager. Fault paths are relative to it. */
export function compileManager(message: HttpConnectionManager, context: FilterChainContext): Compiled<ManagerConfig> {
  const faults: ConfigFault[] = [];
  refuseUnsupported(message, faults);
  const config: ManagerConfig = {
    statPrefix: message.statPrefix,
    routes: compileRoutes(message, context, faults),
    filters: compileHttpFilters(message.httpFilters, message.statPrefix, context, "httpFilters", faults),
    upgrades: compileUpgrades(message, faults),
    accessLogs: compileAccessLoggers(message.accessLog, context, "accessLog", faults),
    request: compileRequestOptions(message, faults),
    response: compileResponseOptions(message),
    timeouts: {
      idle: milliseconds(message.streamIdleTimeout) ?? 300_000,
      request: milliseconds(message.requestTimeout) ?? 0,
      maxDuration: milliseconds(message.commonHttpProtocolOptions?.maxStreamDuration) ?? 0,
    },
    duration: {
      max: milliseconds(message.commonHttpProtocolOptions?.maxConnectionDuration) ?? 0,
      drain: milliseconds(message.drainTimeout) ?? 5000,
    },
    localReply: compileLocalReplyConfig(message.localReplyConfig, context, faults),
    proxy100Continue: message.proxy100Continue,
    bufferLimit: (context.bufferLimit ?? BUFFER_LIMIT) || Number.POSITIVE_INFINITY,
    codec: compileCodecOptions(message, context, faults),
  };
  if (faults.length > 0) closeParts(config);
  return compiledUnless(faults, config);
}

/** Gives back what a configuration has taken into use. */
export function closeParts({ filters, accessLogs }: ManagerConfig): void {
  for (const { factory } of filters) factory.close?.();
  for (const logger of accessLogs) logger.close();
}

function compileRoutes(
  message: HttpConnectionManager,
  context: FilterChainContext,
  faults: ConfigFault[],
): ManagerConfig["routes"] {
  const specifier = message.routeSpecifier;
  if (specifier.case === "rds") return { rds: specifier.value.routeConfigName };
  if (specifier.case === "routeConfig") {
    const table = compileRouteTable(specifier.value, context.clock);
    if (table.ok) return { inline: table.value };
    addFaults(faults, "routeConfig", table.faults);
  } else {
    faults.push({
      path: "",
      message: `routes of kind ${specifier.case ?? "(empty)"} are not supported; use rds or routeConfig`,
    });
  }
  return { rds: "" };
}

function compileUpgrades(message: HttpConnectionManager, faults: ConfigFault[]): ReadonlyMap<string, boolean> {
  const upgrades = new Map<string, boolean>();
  for (const [i, config] of message.upgradeConfigs.entries()) {
    if (config.filters.length > 0) faults.push({ path: `upgradeConfigs[${i}].filters`, message: "is not supported" });
    if (config.upgradeType.toLowerCase() === "connect" && (config.enabled ?? true)) {
      faults.push({ path: `upgradeConfigs[${i}].upgradeType`, message: "CONNECT is not supported" });
    }
    upgrades.set(config.upgradeType.toLowerCase(), config.enabled ?? true);
  }
  return upgrades;
}

function compileRequestOptions(message: HttpConnectionManager, faults: ConfigFault[]): RequestHeaderOptions {
  return {
    useRemoteAddress: message.useRemoteAddress ?? false,
    trustedHops: message.xffNumTrustedHops,
    skipXffAppend: message.skipXffAppend,
    appendXForwardedPort: message.appendXForwardedPort,
    internalNetworks: compileNetworks(message, faults),
    generateRequestId: message.generateRequestId ?? true,
    preserveExternalRequestId: message.preserveExternalRequestId,
    via: message.via,
    clientCertificate: compileCertificateOptions(message),
    stripPort: message.stripPortMode.value ? "any" : message.stripMatchingHostPort ? "matching" : "no",
    stripTrailingDot: message.stripTrailingHostDot,
    path: compilePathOptions(message),
  };
}

/** Without a list nobody is internal: current Envoy no longer trusts private networks by default. */
function compileNetworks(message: HttpConnectionManager, faults: ConfigFault[]): readonly Network[] {
  const networks: Network[] = [];
  for (const [i, range] of (message.internalAddressConfig?.cidrRanges ?? []).entries()) {
    const network = parseNetwork(range.addressPrefix, range.prefixLen ?? 0);
    if (network !== null) networks.push(network);
    else
      faults.push({
        path: `internalAddressConfig.cidrRanges[${i}]`,
        message: `${range.addressPrefix} is not a network`,
      });
  }
  return networks;
}

function compileCertificateOptions(message: HttpConnectionManager): ClientCertificateOptions {
  const modes: Readonly<Record<CertDetails, ClientCertificateOptions["mode"]>> = {
    [CertDetails.SANITIZE]: "sanitize",
    [CertDetails.FORWARD_ONLY]: "forward-only",
    [CertDetails.APPEND_FORWARD]: "append-forward",
    [CertDetails.SANITIZE_SET]: "sanitize-set",
    [CertDetails.ALWAYS_FORWARD_ONLY]: "always-forward-only",
  };
  const details = message.setCurrentClientCertDetails;
  return {
    mode: modes[message.forwardClientCertDetails],
    cert: details?.cert ?? false,
    chain: details?.chain ?? false,
    subject: details?.subject ?? false,
    uri: details?.uri ?? false,
    dns: details?.dns ?? false,
  };
}

function compilePathOptions(message: HttpConnectionManager): PathOptions {
  const actions: Readonly<Record<SlashesAction, PathOptions["escapedSlashes"]>> = {
    [SlashesAction.IMPLEMENTATION_SPECIFIC_DEFAULT]: "keep",
    [SlashesAction.KEEP_UNCHANGED]: "keep",
    [SlashesAction.REJECT_REQUEST]: "reject",
    [SlashesAction.UNESCAPE_AND_REDIRECT]: "unescape-and-redirect",
    [SlashesAction.UNESCAPE_AND_FORWARD]: "unescape-and-forward",
  };
  return {
    normalize: message.normalizePath ?? false,
    mergeSlashes: message.mergeSlashes,
    escapedSlashes: actions[message.pathWithEscapedSlashesAction],
  };
}

function compileResponseOptions(message: HttpConnectionManager): ResponseHeaderOptions {
  const transformations: Readonly<Record<ServerTransformation, ResponseHeaderOptions["serverHeader"]>> = {
    [ServerTransformation.OVERWRITE]: "overwrite",
    [ServerTransformation.APPEND_IF_ABSENT]: "append-if-absent",
    [ServerTransformation.PASS_THROUGH]: "pass-through",
  };
  return {
    serverName: message.serverName === "" ? "envoy" : message.serverName,
    serverHeader: transformations[message.serverHeaderTransformation],
    via: message.via,
    alwaysSetRequestId: message.alwaysSetRequestIdInResponse,
  };
}

/** Fields that change what happens to a request and that this proxy does not carry out. Tracing is accepted and makes no spans. */
function refuseUnsupported(message: HttpConnectionManager, faults: ConfigFault[]): void {
  const refuse = (path: string, present: boolean) => {
    if (present) faults.push({ path, message: "is not supported" });
  };
  refuse("originalIpDetectionExtensions", message.originalIpDetectionExtensions.length > 0);
  refuse("earlyHeaderMutationExtensions", message.earlyHeaderMutationExtensions.length > 0);
  refuse("schemeHeaderTransformation", message.schemeHeaderTransformation !== undefined);
  refuse("pathNormalizationOptions", message.pathNormalizationOptions !== undefined);
  refuse("proxyStatusConfig", message.proxyStatusConfig !== undefined);
  refuse("typedHeaderValidationConfig", message.typedHeaderValidationConfig !== undefined);
  refuse("addUserAgent", message.addUserAgent === true);
}
