import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { planAddresses } from "../packages/mixerless/src/demo/address-plan.ts";
import { meshFiles } from "../packages/mixerless/src/demo/mesh-files.ts";
import { formatFault } from "../packages/pilot/src/config/fault.ts";
import { readConfig } from "../packages/pilot/src/config/read-config.ts";
import { joinedFiles } from "../packages/pilot/src/joined/joined-files.ts";
import { crdProblems, readDefinitions } from "../packages/pilot/test/crd/schema.ts";

const DATA = process.env.ISTIO_DATA ?? "";
if (DATA === "") console.log("ISTIO_DATA is not set: what we write is not checked by Istio's published schemas");

/** An API server knows MeshConfig as no kind of its own. */
const NO_RESOURCE = ["MeshConfig"];
const PLUGINS = ["/a/one.wasm", "/a/two.wasm"].map((path, index) => ({ name: `plugin-${index}`, path }));
const CHOICES = ["off", "permissive", "strict"].flatMap((mtls) =>
  ["none", "bookinfo"].flatMap((authz) =>
    ["v1", "all"].map((reviews) => ({ mtls, authz, reviews, plugins: reviews === "v1" ? PLUGINS : [] })),
  ),
);
const JOINED = {
  ...{ instance: "one", name: "shop-v1", namespace: "default", service: "shop", serviceAccount: "shop" },
  ...{ labels: { app: "shop", version: "v1" }, address: "127.0.20.1", protocol: "http", servicePort: 8080 },
  ...{ inboundPort: 8080, application: "127.0.0.1:4000", reportsHealth: true, owner: "" },
  calls: [
    {
      ...{ host: "stock.default.svc.cluster.local", namespace: "default", port: 8080, protocol: "http" },
      ...{ bind: "127.11.1.1", bindPort: 8080 },
    },
  ],
};

describe.skipIf(DATA === "")("configuration that we write ourselves, by Istio's published schemas", () => {
  let schemas;

  beforeAll(() => {
    schemas = readDefinitions(join(DATA, "istio-crds-1.30.3.yaml"));
  });

  /** Problems of each object; the kinds that were checked. */
  function check(files) {
    const kinds = new Set();
    const problems = [];
    for (const [file, text] of files) {
      const { objects, faults } = readConfig({ file, text });
      problems.push(...faults.map(formatFault));
      for (const { kind, name, raw } of objects) {
        const schema = schemas.get(`${raw.apiVersion} ${kind}`);
        if (schema !== undefined) kinds.add(kind);
        else if (String(raw.apiVersion).includes("istio.io"))
          problems.push(`${raw.apiVersion} ${kind} is not published`);
        else if (raw.apiVersion !== "v1" && !NO_RESOURCE.includes(kind)) problems.push(`${file}: ${kind} is unknown`);
        for (const problem of schema === undefined ? [] : crdProblems(schema, raw))
          problems.push(`${file} ${kind} ${name}${problem}`);
      }
    }
    return { kinds: [...kinds].sort(), problems };
  }

  it.each(["many", "single"])("the demo's files are taken, whatever was chosen (loopback %s)", async (loopback) => {
    const plan = await planAddresses(loopback);
    try {
      for (const choices of CHOICES) {
        const { kinds, problems } = check(meshFiles(plan, choices).map(({ name, content }) => [name, content]));
        expect(problems).toEqual([]);
        const always = [
          "DestinationRule",
          "Gateway",
          "PeerAuthentication",
          "Sidecar",
          "VirtualService",
          "WorkloadEntry",
        ];
        const chosen = [
          ...(choices.authz === "none" ? [] : ["AuthorizationPolicy"]),
          ...(choices.plugins.length === 0 ? [] : ["WasmPlugin"]),
        ];
        expect(kinds).toEqual([...chosen, ...always].sort());
      }
    } finally {
      plan.release();
    }
  });

  it.each([true, false])("what stands for a workload that joined is taken (healthy: %s)", (healthy) => {
    const files = joinedFiles([{ request: JOINED, healthy }], () => false);
    expect(check(files)).toEqual({ kinds: ["Sidecar", "WorkloadEntry"], problems: [] });
  });

  it("a mistake is found", () => {
    const schema = schemas.get("networking.istio.io/v1 Sidecar");
    const sidecar = { apiVersion: "networking.istio.io/v1", kind: "Sidecar", metadata: { name: "a" } };
    expect(crdProblems(schema, { ...sidecar, spec: { egress: [{ hosts: "*" }] } })).toEqual([
      expect.stringMatching(/hosts: is no array/),
    ]);
    const status = { conditions: [{ type: "Healthy", status: true }] };
    expect(crdProblems(schema, { ...sidecar, status })).toEqual([expect.stringMatching(/status: is no string/)]);
  });
});
