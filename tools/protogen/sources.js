// Where the upstream definitions lie, which of them are wanted, and the repairs that make them compile.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const xdsDeps = join(here, "node_modules/@grpc/grpc-js-xds/deps");

export const ownProtos = join(here, "../../packages/wire/proto");

// Searched in order. Own files first: they stand in for imports that upstream does not ship.
const searchPath = [
  ownProtos,
  join(here, "node_modules/google-proto-files"),
  join(xdsDeps, "envoy-api"),
  join(xdsDeps, "xds"),
  join(xdsDeps, "protoc-gen-validate"),
];

/** The folder that holds an imported file, or undefined. */
export function locate(importPath) {
  return searchPath.map((folder) => join(folder, importPath)).find((file) => existsSync(file));
}

/** Import paths of everything we want; their imports follow by themselves. */
export function roots() {
  const envoy = listProtos(join(xdsDeps, "envoy-api"), "envoy").filter(wantedEnvoyFile);
  const own = listProtos(ownProtos, "");
  return [...envoy, ...own, ...fixedRoots].sort();
}

const fixedRoots = [
  "udpa/type/v1/typed_struct.proto",
  "xds/type/v3/typed_struct.proto",
  "xds/type/matcher/v3/cel.proto",
  "xds/type/matcher/v3/domain.proto",
  "xds/type/matcher/v3/http_inputs.proto",
  "xds/type/matcher/v3/ip.proto",
  "xds/type/matcher/v3/matcher.proto",
  "xds/type/matcher/v3/range.proto",
  "xds/core/v3/collection_entry.proto",
  "google/api/expr/v1alpha1/checked.proto",
  "google/api/expr/v1alpha1/syntax.proto",
  // What an export to Google's cloud sends: metrics and log entries.
  "google/api/field_behavior.proto",
  "google/logging/v2/logging.proto",
  "google/monitoring/v3/metric_service.proto",
  "google/rpc/code.proto",
  "google/rpc/error_details.proto",
  "google/rpc/status.proto",
];

// The v2 leftovers import files that are not shipped; service/trace needs OpenCensus in full.
function wantedEnvoyFile(path) {
  return path.includes("/v3/") && !path.startsWith("envoy/service/trace/");
}

function listProtos(base, below) {
  return readdirSync(join(base, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return listProtos(base, path);
    return path.endsWith(".proto") ? [path] : [];
  });
}

/** Text of one file, repaired where upstream's copy does not fit the rest. */
export function readProto(importPath, file) {
  const text = readFileSync(file, "utf8");
  return importPath === "validate/validate.proto" ? addIgnoreEmpty(text) : text;
}

const ignoreEmptyNumbers = new Map([
  ...["Float", "Double", "Int32", "Int64", "UInt32", "UInt64", "SInt32", "SInt64"].map((name) => [name, 8]),
  ...["Fixed32", "Fixed64", "SFixed32", "SFixed64"].map((name) => [name, 8]),
  ["String", 26],
  ["Bytes", 14],
  ["Repeated", 5],
  ["Map", 6],
]);

// The shipped validate.proto is of version 0.1, Envoy's files use ignore_empty of a later one.
function addIgnoreEmpty(text) {
  let repaired = text;
  for (const [name, number] of ignoreEmptyNumbers) {
    const start = `message ${name}Rules {`;
    if (!repaired.includes(start)) throw new Error(`validate.proto has no ${name}Rules: revise the repair`);
    repaired = repaired.replace(start, `${start}\n    optional bool ignore_empty = ${number};`);
  }
  return repaired;
}
