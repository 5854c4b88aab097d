import { expect, it } from "vitest";
import { SecretStore } from "../tls/secret-store.ts";
import type { ToWorker } from "./messages.ts";
import { SecretRelay } from "./secret-relay.ts";

it("hands on what a worker wants, each change of it, and nothing else", () => {
  const wanted: string[][] = [];
  const source = new SecretStore((names) => wanted.push([...names]));
  source.set("ROOTCA", { trustedCa: "one" });
  const told: ToWorker[] = [];
  const relay = new SecretRelay(source, (message) => told.push(message));
  relay.want(["ROOTCA", "default"]);
  expect(wanted.at(-1)).toEqual(["ROOTCA", "default"]);
  expect(told).toEqual([{ type: "secret", name: "ROOTCA", value: { trustedCa: "one" } }]);
  source.set("default", { certificateChain: "c", privateKey: "k" });
  source.remove("ROOTCA");
  expect(told.slice(1)).toEqual([
    { type: "secret", name: "default", value: { certificateChain: "c", privateKey: "k" } },
    { type: "secret", name: "ROOTCA", value: null },
  ]);
  relay.want(["default"]);
  source.set("ROOTCA", { trustedCa: "two" });
  relay.close();
  source.set("default", { certificateChain: "d", privateKey: "l" });
  expect(told).toHaveLength(3);
  expect(wanted.at(-1)).toEqual([]);
});
