// Many sidecars' sides of the delta xDS stream, each on a connection of its own. They read and answer everything, but
// look into nothing: what a proxy does with it is not what is measured. Usage: node fleet.mjs ADDRESS CLIENTS SERVICES
// Prints a line when all have everything; after that, for each line on standard input, one when every client has had
// a response since: the time on the system's monotonic clock, and the types that came.
import { createInterface } from "node:readline";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from "@mixerless/wire/envoy/service/discovery/v3/discovery";
import { TypeUrl } from "@mixerless/xds";

const [address, clients, services] = process.argv.slice(2);
const PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const NAMES = Array.from({ length: Number(services) }, (_, i) => `outbound|9080||s${i}.default.svc.cluster.local`);
const FIRST = [
  [TypeUrl.cluster, ["*"]],
  [TypeUrl.endpoint, NAMES],
  [TypeUrl.listener, ["*"]],
  [TypeUrl.route, ["9080"]],
];

const encode = (message) => toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, message));
const decode = (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes);

const seen = Array.from({ length: Number(clients) }, () => new Set());
/** So many types each client must have; then `reached` is called. */
let wanted = FIRST.length;
let missing = seen.length;
let reached = () => {};

function open(index) {
  const options = { "grpc.use_local_subchannel_pool": 1 };
  const client = new Client(address, credentials.createInsecure(), options);
  const stream = client.makeBidiStreamRequest(PATH, (bytes) => Buffer.from(bytes), decode);
  const id = `sidecar~10.0.${index >> 8}.${index & 255}~client-${index}.default~default.svc.cluster.local`;
  const node = { id, metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default" }, userAgentName: "mixerless" };
  stream.on("data", ({ typeUrl, nonce }) => {
    stream.write(encode({ typeUrl, responseNonce: nonce }));
    const types = seen[index];
    const before = types.size;
    types.add(typeUrl);
    if (before < wanted && types.size === wanted && --missing === 0) reached();
  });
  stream.on("error", (error) => {
    process.stderr.write(`fleet: ${error.message}\n`);
    process.exit(1);
  });
  FIRST.forEach(([typeUrl, resourceNamesSubscribe], at) => {
    stream.write(encode({ typeUrl, resourceNamesSubscribe, ...(at === 0 ? { node } : {}) }));
  });
}

/** Resolves when every client has had so many types from now on. */
function everyone(types) {
  wanted = types;
  missing = seen.length;
  for (const one of seen) one.clear();
  return new Promise((resolve) => {
    reached = resolve;
  });
}

process.on("SIGTERM", () => process.exit(0));
const complete = everyone(FIRST.length);
for (let i = 0; i < seen.length; i++) open(i);
await complete;
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  const pushed = everyone(1);
  console.log("listening");
  await pushed;
  const end = Number(process.hrtime.bigint()) / 1e6;
  console.log(JSON.stringify({ end, types: [...new Set(seen.flatMap((types) => [...types]))] }));
}
