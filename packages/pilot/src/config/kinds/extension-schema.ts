// WasmPlugin, ProxyConfig and PeerAuthentication (§3.1, §8.7, §8.8, §8.10).
import { asWritten, lists, maps, object, optional, required, withDefault } from "../schema/object.ts";
import {
  checked,
  convert,
  describe,
  int32,
  integer,
  jsonObject,
  list,
  map,
  nonEmpty,
  oneOf,
  type Reader,
  string,
} from "../schema/reader.ts";
import {
  attachment,
  attachmentFields,
  checkPortNumber,
  checkUnique,
  matchLabelsSelector,
  port,
} from "../schema/shared-readers.ts";
import type {
  MutualTlsMode,
  PeerAuthenticationSpec,
  ProxyConfigSpec,
  TrafficSelector,
  WasmPluginSpec,
} from "./policies.ts";

const SCHEMES = ["oci", "file", "http", "https"];

const moduleUrl: Reader<string> = checked(nonEmpty, (url, at) => {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined && !SCHEMES.includes(scheme)) {
    // What precedes a port looks like a scheme to Kubernetes as well.
    const cure = /^[^/]*:\d/.test(url) ? `Write oci://${url}.` : `Use one of ${SCHEMES.join(", ")}.`;
    at.error("bad-url", `${describe(url)} has a scheme that can't be fetched.`, cure);
  } else if (!URL.canParse(scheme === undefined ? `http://${url}` : url) || /[\s\p{Cc}]/u.test(url)) {
    at.error("bad-url", `${describe(url)} is no URL.`, "Write one like oci://registry.example.com/plugin:1.");
  }
});

const digest: Reader<string> = convert(string, (text, at) => {
  if (text !== "" && !/^[a-f0-9]{64}$/.test(text)) {
    at.error("bad-digest", `${describe(text)} is no SHA-256 digest.`, "Write 64 characters of 0-9 and a-f.");
  }
  return text;
});

function bounded(min: number, max: number): Reader<string> {
  return convert(string, (text, at) => {
    if (text.length < min || text.length > max) {
      at.error("bad-length", `The text has ${text.length} characters.`, `Use ${min} to ${max}.`);
    }
    return text;
  });
}

const environment = asWritten(
  object({
    name: required(bounded(1, 256)),
    valueFrom: withDefault(oneOf("INLINE", "HOST"), "INLINE"),
    value: withDefault(bounded(0, 2048), ""),
  }),
  (has, { valueFrom }, at) => {
    if (valueFrom !== "HOST" || !has("value")) return;
    const message = "value may only be set when valueFrom is INLINE.";
    at.at("value").error("value-not-allowed", message, "Remove value, or use INLINE.");
  },
);

const vmConfig = convert(
  object({ env: withDefault(list(environment, { max: 256 }), Object.freeze([])) }),
  ({ env }, at) => {
    checkUnique(
      env,
      (entry) => entry.name,
      (name, index) => at.at("env").at(index).error("repeated-name", `${name} is set twice.`, "Remove one."),
    );
    return env;
  },
);

const trafficSelector: Reader<TrafficSelector> = checked(
  object({
    mode: withDefault(oneOf("UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"), "UNDEFINED"),
    ports: lists(convert(object({ number: required(port) }), ({ number }) => number)),
  }),
  ({ ports }, at) => {
    const report = (number: string | number, index: number) =>
      at.at("ports").at(index).error("repeated-port", `The port ${number} is listed twice.`, "Remove one.");
    checkUnique(ports, (number) => number, report);
  },
);

export const wasmPlugin: Reader<WasmPluginSpec> = convert(
  object(
    {
      ...attachmentFields,
      url: required(moduleUrl),
      sha256: withDefault(digest, ""),
      imagePullPolicy: withDefault(oneOf("UNSPECIFIED_POLICY", "IfNotPresent", "Always"), "UNSPECIFIED_POLICY"),
      imagePullSecret: withDefault(bounded(1, 253), ""),
      pluginConfig: optional(jsonObject),
      pluginName: withDefault(bounded(1, 256), ""),
      phase: withDefault(oneOf("UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"), "UNSPECIFIED_PHASE"),
      priority: optional(int32),
      failStrategy: withDefault(oneOf("FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"), "FAIL_CLOSE"),
      vmConfig: optional(vmConfig),
      match: lists(trafficSelector),
      type: withDefault(oneOf("UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"), "UNSPECIFIED_PLUGIN_TYPE"),
    },
    { unused: { verificationKey: string } },
  ),
  ({ selector, targetRef, targetRefs, vmConfig, ...read }, at) => {
    const written = { ...(selector && { selector }), ...(targetRef && { targetRef }), targetRefs };
    return Object.freeze({ ...read, env: vmConfig ?? Object.freeze([]), ...attachment(written, at) });
  },
);

export const proxyConfig: Reader<ProxyConfigSpec> = convert(
  object({
    selector: optional(matchLabelsSelector),
    concurrency: optional(integer({ min: 0, max: 2 ** 31 - 1 })),
    environmentVariables: maps(bounded(0, 2048)),
    image: optional(object({ imageType: withDefault(string, "") })),
  }),
  ({ image, ...read }) => Object.freeze({ ...read, imageType: image?.imageType ?? "" }),
);

const mutualTls: Reader<MutualTlsMode> = convert(
  object({ mode: withDefault(oneOf("UNSET", "DISABLE", "PERMISSIVE", "STRICT"), "UNSET") }),
  ({ mode }) => mode,
);

const portLevelMtls = map(mutualTls, {
  min: 1,
  key: (key, at) => {
    if (/^\d{1,6}$/.test(key)) checkPortNumber(Number(key), at);
    else at.error("bad-port", `${describe(key)} is no port number.`, "Use a number from 1 to 65535.");
  },
});

const NO_PORTS: Readonly<Record<string, MutualTlsMode>> = Object.freeze(
  Object.create(null) as Record<string, MutualTlsMode>,
);

export const peerAuthentication: Reader<PeerAuthenticationSpec> = convert(
  object({
    selector: optional(matchLabelsSelector),
    mtls: optional(mutualTls),
    portLevelMtls: withDefault(portLevelMtls, NO_PORTS),
  }),
  ({ selector, mtls, portLevelMtls }, at) => {
    const selected = Object.keys(selector?.labels ?? {}).length > 0;
    if (Object.keys(portLevelMtls).length > 0 && !selected) {
      at.error("port-without-selector", "portLevelMtls requires selector.", "Add selector.matchLabels.");
    }
    return Object.freeze({ ...(selector && { selector }), mode: mtls ?? "UNSET", portLevelMtls });
  },
);
