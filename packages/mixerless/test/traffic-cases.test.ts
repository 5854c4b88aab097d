import { readTrafficCases, TRAFFIC_CASES } from "@mixerless/pilot/testing";
import { describe, expect, it } from "vitest";
import { CaseMesh } from "./traffic/case-mesh.ts";
import { MeshIdentities } from "./traffic/mesh-identities.ts";
import { send } from "./traffic/send.ts";

const identities = await MeshIdentities.create();
const cases = readTrafficCases(TRAFFIC_CASES);

/** Every configuration that pilot's own tests describe, in a real proxy of this process. */
describe("a proxy with the configuration of", () => {
  it.each(cases.map((entry) => [`${entry.file}: ${entry.name}`, entry] as const))(
    "%s",
    async (_name, entry) => {
      const mesh = await CaseMesh.start(entry, TRAFFIC_CASES, identities);
      try {
        if (entry.refusal === "") expect(mesh.refusals).toEqual([]);
        else expect(mesh.refusals.join("\n")).toContain(entry.refusal);
        for (const request of entry.requests) {
          const target = mesh.listeners.get(request.listener ?? "127.0.0.1_9080");
          if (target === undefined) throw new Error(`there is no listener ${request.listener}`);
          expect(await send(target, request, identities), JSON.stringify(request)).toEqual([]);
        }
      } finally {
        await mesh.close();
      }
    },
    20_000,
  );
});
