// The control plane's push with many services, without files. Usage: node pilot.mjs SERVICES
// Prints its address; then for each line on standard input, `endpoint` or `virtualservice`, makes such a change,
// pushes and prints one line: when it began on the system's monotonic clock, how many milliseconds until every
// response had been handed to the transport, the CPU since the line before, and the resident megabytes.
import { createInterface } from "node:readline";
import { SystemClock } from "@mixerless/clock";
import { createXdsServer } from "@mixerless/xds";

const DIST = "../../../packages/pilot/dist";
const { ConfigStore } = await import(`${DIST}/config/config-store.js`);
const { readConfig } = await import(`${DIST}/config/read-config.js`);
const { createPushContext } = await import(`${DIST}/model/create-push-context.js`);
const { PilotSource } = await import(`${DIST}/push/pilot-source.js`);
const { Pusher } = await import(`${DIST}/push/pusher.js`);
const { PilotMetrics } = await import(`${DIST}/server/pilot-metrics.js`);

const services = Number(process.argv[2]);
const clock = new SystemClock();
const store = new ConfigStore();
const set = (name, object) =>
  store.apply([{ reading: readConfig({ file: `${name}.yaml`, text: JSON.stringify(object) }) }]);

function service(name) {
  const spec = { selector: { app: name }, ports: [{ name: "http", port: 9080 }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, spec };
}

function pod(name, app, ip) {
  const metadata = { name, namespace: "default", labels: { app } };
  const spec = { containers: [{ name: "app", ports: [{ name: "web", containerPort: 9080 }] }] };
  return { apiVersion: "v1", kind: "Pod", metadata, spec, status: { podIP: ip } };
}

function virtualService(name, retries) {
  const route = [{ destination: { host: name } }];
  const spec = { hosts: [name], http: [{ route, retries: { attempts: retries } }] };
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "default" },
    spec,
  };
}

for (let i = 0; i < services; i++) {
  set(`s${i}`, service(`s${i}`));
  set(`p${i}`, pod(`s${i}-v1`, `s${i}`, `10.9.${i >> 8}.${i & 255}`));
}
const metrics = new PilotMetrics(clock, "bench");
const source = new PilotSource(createPushContext(store.snapshot()), "native");
const pusher = new Pusher(store, source, clock, metrics.pushObserver);
store.subscribe((change) => pusher.note(change));
const xds = createXdsServer({ source, clock, address: "127.0.0.1:0", observer: metrics.observer });
process.on("SIGTERM", () => process.exit(0));
console.log(await xds.start());

let changes = 0;
let cpu = process.cpuUsage();
for await (const line of createInterface({ input: process.stdin })) {
  changes++;
  const app = `s${changes % services}`;
  const start = process.hrtime.bigint();
  if (line === "endpoint") set("extra", pod("extra", app, `10.8.0.${changes & 255}`));
  else set(`vs-${app}`, virtualService(app, 1 + (changes % 7)));
  pusher.push(xds);
  const handed = Number(process.hrtime.bigint() - start) / 1e6;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const used = process.cpuUsage(cpu);
  cpu = process.cpuUsage();
  const rss = process.memoryUsage.rss() / 2 ** 20;
  console.log(JSON.stringify({ start: Number(start) / 1e6, handed, cpu: (used.user + used.system) / 1000, rss }));
}
