import { create, fromBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { expect, it } from "vitest";
import type { IncomingUpdate } from "../config/resource-intake.ts";
import type { CarriedUpdate } from "./messages.ts";
import { ResourceMirror } from "./resource-mirror.ts";

function clusters(version: string, names: Record<string, string>, removed: string[] = []): IncomingUpdate {
  const resources = Object.entries(names).map(([name, altStatName]) => {
    return { name, version, message: create(ClusterSchema, { name, altStatName }), faults: [] };
  });
  return { kind: "cluster", version, resources, removed };
}

function named(update: CarriedUpdate | undefined): string[] {
  return (update?.resources ?? []).map(({ bytes }) => {
    const { name, altStatName } = fromBinary(ClusterSchema, bytes);
    return `${name} ${altStatName}`;
  });
}

it("hands on what was accepted, and keeps the version before of what was refused", () => {
  const mirror = new ResourceMirror();
  expect(named(mirror.take(clusters("1", { a: "old", b: "old" }), []))).toEqual(["a old", "b old"]);
  const second = mirror.take(clusters("2", { a: "new", b: "new" }), [{ name: "b", faults: [] }]);
  expect(named(second)).toEqual(["a new"]);
  const undecoded = { name: "c", version: "3", message: null, faults: [{ path: "x", message: "y" }] };
  expect(mirror.take({ ...clusters("3", {}, ["a"]), resources: [undecoded] }, []).removed).toEqual(["a"]);
  expect(mirror.snapshot().map(({ version }) => version)).toEqual(["3"]);
  expect(named(mirror.snapshot()[0])).toEqual(["b old"]);
});

it("tells a new worker clusters before routes, and of no kind that was never answered", () => {
  const mirror = new ResourceMirror();
  const message = create(RouteConfigurationSchema, { name: "r" });
  const routes = { kind: "routes" as const, version: "1", removed: [] };
  mirror.take({ ...routes, resources: [{ name: "r", version: "1", message, faults: [] }] }, []);
  mirror.take(clusters("1", {}), []);
  expect(mirror.snapshot().map(({ kind }) => kind)).toEqual(["cluster", "routes"]);
  mirror.keep("routes", new Set(["other"]));
  expect(mirror.snapshot()[1]?.resources).toEqual([]);
});
