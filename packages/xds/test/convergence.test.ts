import { VirtualClock } from "@mixerless/clock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientProtocol, ResourceUpdate, UpdateHandler } from "../src/client/client-protocol.ts";
import { DeltaClient } from "../src/client/delta-client.ts";
import { resourceNameOf } from "../src/client/resource-name.ts";
import { SotwClient } from "../src/client/sotw-client.ts";
import { DeltaStream } from "../src/server/delta-stream.ts";
import { MapSource } from "../src/server/map-source.ts";
import { PushVersions } from "../src/server/push-versions.ts";
import type { ServerStream } from "../src/server/server-stream.ts";
import { SotwStream } from "../src/server/sotw-stream.ts";
import { defaultStreamLimits } from "../src/server/watch-table.ts";
import { CDS, contentOf, EDS, LDS, RDS, resource } from "./resources.ts";

const TYPES: readonly string[] = [CDS, EDS, LDS, RDS];
const NAMES = ["a", "b", "c", "d"];
const POISON = "poison";

interface Message {
  readonly typeUrl: string;
}

interface AnyResponse extends Message {
  readonly resources: readonly { name?: string; version?: string }[];
  readonly versionInfo?: string;
  readonly systemVersionInfo?: string;
  readonly removedResources?: readonly string[];
}

/** A server and a client whose messages take their time. */
class World {
  readonly source = new MapSource((typeUrl, name) =>
    typeUrl === EDS || typeUrl === RDS ? resource(typeUrl, name) : undefined,
  );
  readonly #clock = new VirtualClock();
  readonly #versions = new PushVersions(this.#clock);
  readonly #mode: "delta" | "sotw";
  readonly client: ClientProtocol<Message, Message>;
  #stream: ServerStream<Message, AnyResponse> | null = null;
  #toServer: Message[] = [];
  #toClient: AnyResponse[] = [];
  /** type → name → content, as the data plane has it. */
  readonly held = new Map(TYPES.map((type) => [type, new Map<string, string>()]));
  /** Refused contents are kept away, as a data plane does: the old ones serve on. */
  readonly problems: string[] = [];
  #sentOnThisStream = new Map<string, string>();
  #lastCounter = new Map<string, number>();

  constructor(mode: "delta" | "sotw") {
    this.#mode = mode;
    const handler: UpdateHandler = (update) => this.#take(update);
    this.client = (mode === "delta"
      ? new DeltaClient(handler)
      : new SotwClient(handler, resourceNameOf)) as unknown as ClientProtocol<Message, Message>;
  }

  want(typeUrl: string, names: readonly string[] | "*"): void {
    const held = this.held.get(typeUrl);
    if (names !== "*") for (const name of [...(held?.keys() ?? [])]) if (!names.includes(name)) held?.delete(name);
    this.#toServer.push(...this.client.want(typeUrl, names === "*" ? names : new Set(names)));
  }

  reconnect(): void {
    this.client.disconnected();
    const context = {
      session: this.source.open(),
      versions: this.#versions,
      clock: this.#clock,
      limits: { ...defaultStreamLimits, responseBytes: 400 },
      onInternalError: (type: string) => this.problems.push(`internal error ${type}`),
    };
    this.#stream = (this.#mode === "delta"
      ? new DeltaStream(context)
      : new SotwStream(context)) as unknown as ServerStream<Message, AnyResponse>;
    this.#sentOnThisStream = new Map();
    this.#lastCounter = new Map();
    this.#toClient = [];
    this.#toServer = this.client.connected();
  }

  push(): void {
    this.#stream?.push(this.source.takeChanges(), this.#versions.advance());
  }

  /** The server's transport can take one message. */
  serverWrites(): boolean {
    const outgoing = this.#stream?.poll();
    if (!outgoing) return false;
    this.#inspect(outgoing.response);
    this.#toClient.push(outgoing.response);
    return true;
  }

  serverReads(): boolean {
    const request = this.#toServer.shift();
    if (request === undefined || this.#stream === null) return false;
    const { fault } = this.#stream.onRequest(request);
    if (fault !== undefined) this.problems.push(fault.message);
    return true;
  }

  clientReads(): boolean {
    const response = this.#toClient.shift();
    if (response === undefined) return false;
    this.#toServer.push(...this.client.received(response));
    return true;
  }

  /** Delivers everything until nobody has anything to say. */
  settle(): void {
    for (let i = 0; i < 10_000; i++) {
      const moved = [this.serverReads(), this.serverWrites(), this.clientReads()];
      if (!moved.includes(true)) return;
    }
    this.problems.push("the two never stop talking");
  }

  get idle(): boolean {
    return this.#toServer.length === 0 && this.#toClient.length === 0 && this.#stream?.poll() === null;
  }

  #take({ typeUrl, resources, removed }: ResourceUpdate) {
    const held = this.held.get(typeUrl);
    const faults = [];
    for (const { name, any } of resources) {
      if (contentOf(any) === POISON) faults.push({ name, message: "poison" });
      else held?.set(name, contentOf(any));
    }
    for (const name of removed) held?.delete(name);
    return faults;
  }

  /** Versions go forward; delta sends no resource again that did not change and that nothing asked for. */
  #inspect({ typeUrl, versionInfo, systemVersionInfo, resources, removedResources = [] }: AnyResponse): void {
    const counter = Number((versionInfo ?? systemVersionInfo ?? "").split("/")[1]);
    if (counter < (this.#lastCounter.get(typeUrl) ?? 0)) this.problems.push("a version went backwards");
    this.#lastCounter.set(typeUrl, counter);
    if (this.#mode !== "delta" || typeUrl !== LDS) return;
    for (const name of removedResources) this.#sentOnThisStream.delete(`${typeUrl} ${name}`);
    for (const { name, version } of resources) {
      const key = `${typeUrl} ${name}`;
      if (this.#sentOnThisStream.get(key) === version) this.problems.push(`${name} was sent again unchanged`);
      this.#sentOnThisStream.set(key, version ?? "");
    }
  }
}

type Step =
  | { kind: "set"; type: string; name: string; content: string }
  | { kind: "delete"; type: string; name: string }
  | { kind: "want"; type: string; names: string[] }
  | { kind: "push" | "reconnect" | "serverReads" | "serverWrites" | "clientReads" };

const aType = fc.constantFrom(...TYPES);
const aName = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      type: aType,
      name: aName,
      content: fc.constantFrom("1", "2", "3", POISON),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), type: aType, name: aName }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("want" as const),
      type: fc.constantFrom(EDS, RDS),
      names: fc.subarray(NAMES),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("push" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reconnect" as const) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom("serverReads" as const, "serverWrites" as const, "clientReads" as const),
    }),
  },
);

function play(world: World, steps: readonly Step[]): void {
  for (const next of steps) {
    if (next.kind === "set") world.source.set(next.name, resource(next.type, next.name, next.content));
    else if (next.kind === "delete") world.source.delete(next.type, next.name);
    else if (next.kind === "want") world.want(next.type, next.names);
    else world[next.kind]();
  }
}

/** What the data plane should have of a type in the end. */
function expected(world: World, typeUrl: string): Record<string, string> {
  const wanted = world.client.subscriptions.get(typeUrl)?.wanted ?? new Set<string>();
  const resources = world.source.get(typeUrl);
  const names = wanted === "*" ? [...resources.keys()] : [...wanted];
  return Object.fromEntries(names.sort().map((name) => [name, contentOf(resources.get(name)?.any)]));
}

function actual(world: World, typeUrl: string): Record<string, string> {
  return Object.fromEntries([...(world.held.get(typeUrl) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe.each(["delta", "sotw"] as const)("client and server machines together (%s)", (mode) => {
  it("end up with the same resources, whatever happened, and then fall silent", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120, size: "max" }), (steps) => {
        const world = new World(mode);
        world.want(CDS, "*");
        world.want(LDS, "*");
        world.reconnect();
        play(world, steps);
        // The last state has nothing in it that a data plane refuses.
        for (const type of TYPES) {
          for (const [name, { any }] of world.source.get(type)) {
            if (contentOf(any) === POISON) world.source.set(name, resource(type, name, "healed"));
          }
        }
        world.push();
        world.settle();
        expect(world.problems).toEqual([]);
        expect(world.idle).toBe(true);
        for (const type of TYPES) expect([type, actual(world, type)]).toEqual([type, expected(world, type)]);
      }),
      { numRuns: 2000, seed: 20261124 },
    );
  });
});
