import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { xxHash64 } from "../../consistent-hash/xx-hash64.ts";
import { HostSet } from "../host-set.ts";
import { ANY, endpoint, seededRandom } from "../testing/fixtures.ts";
import { type EndpointConfig, UpstreamHost } from "../upstream-host.ts";
import { HostChooser } from "./host-chooser.ts";
import { createLeastRequest } from "./least-request.ts";
import type { Picker, Policy } from "./load-balancer.ts";
import { createMaglev } from "./maglev.ts";
import { computeLevelLoads } from "./priority-load.ts";
import { createRandom } from "./random.ts";
import { createRingHash } from "./ring-hash.ts";
import { createRoundRobin } from "./round-robin.ts";
import { sharesOf } from "./shares.ts";
import { SlowStart } from "./slow-start.ts";

function hosts(...endpoints: EndpointConfig[]): UpstreamHost[] {
  return endpoints.map((config) => new UpstreamHost(config));
}

function shares(picker: Picker, picks: number, hash?: (i: number) => bigint): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < picks; i++) {
    const host = picker.pick(hash === undefined ? ANY : { ...ANY, hash: hash(i) }, 0);
    const key = host?.address.ip ?? "none";
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const TWO_CHOICES = { choices: 2, activeRequestBias: 1 };
const RING = { minimumSize: 1024, maximumSize: 8_388_608 };

describe("round robin", () => {
  it("gives each host the same number of turns", () => {
    const picker = createRoundRobin(
      hosts(endpoint("10.0.0.1"), endpoint("10.0.0.2"), endpoint("10.0.0.3")),
      seededRandom(),
    );
    expect(shares(picker, 300)).toEqual({ "10.0.0.1": 100, "10.0.0.2": 100, "10.0.0.3": 100 });
  });

  it("shares by weight, exactly over each full cycle", () => {
    const picker = createRoundRobin(
      hosts(endpoint("10.0.0.1", { weight: 1 }), endpoint("10.0.0.2", { weight: 3 })),
      () => 0.5,
    );
    expect(shares(picker, 400)).toEqual({ "10.0.0.1": 100, "10.0.0.2": 300 });
  });

  it("spreads a weighted host's turns instead of running them together", () => {
    const picker = createRoundRobin(
      hosts(
        endpoint("10.0.0.1", { weight: 2 }),
        endpoint("10.0.0.2", { weight: 2 }),
        endpoint("10.0.0.3", { weight: 4 }),
      ),
      () => 0.9,
    );
    const order = Array.from({ length: 16 }, () => picker.pick(ANY, 0)?.address.ip);
    expect(order.join(" ")).not.toContain("10.0.0.3 10.0.0.3 10.0.0.3");
  });
});

describe("least request", () => {
  it("prefers the host with fewer requests in flight", () => {
    const members = hosts(endpoint("10.0.0.1"), endpoint("10.0.0.2"));
    const busy = members[0] as UpstreamHost;
    busy.activeRequests = 10;
    const counts = shares(createLeastRequest(members, seededRandom(), TWO_CHOICES), 1000);
    // Both draws hit the busy host in a quarter of the cases.
    expect(counts["10.0.0.1"]).toBeGreaterThan(200);
    expect(counts["10.0.0.1"]).toBeLessThan(300);
  });

  it("shrinks a weighted host's share with its requests in flight", () => {
    const members = hosts(endpoint("10.0.0.1", { weight: 2 }), endpoint("10.0.0.2", { weight: 1 }));
    const loaded = members[0] as UpstreamHost;
    loaded.activeRequests = 3;
    const counts = shares(
      createLeastRequest(members, () => 0.5, TWO_CHOICES),
      300,
    );
    expect(counts["10.0.0.1"]).toBe(100);
    expect(counts["10.0.0.2"]).toBe(200);
  });
});

describe("random", () => {
  it("gives every host about the same share", () => {
    const counts = shares(createRandom(hosts(endpoint("10.0.0.1"), endpoint("10.0.0.2")), seededRandom()), 10_000);
    expect(Math.abs((counts["10.0.0.1"] ?? 0) - 5000)).toBeLessThan(300);
  });
});

/** What holds of every policy that hashes. */
const HASHING: readonly { name: string; make: Policy["createPicker"] }[] = [
  { name: "ring hash", make: (members, shareOf) => createRingHash(members, seededRandom(), RING, shareOf) },
  { name: "maglev", make: (members, shareOf) => createMaglev(members, seededRandom(), 65_537, shareOf) },
];

describe.each(HASHING)("$name", ({ make }) => {
  const ten = Array.from({ length: 10 }, (_, i) => endpoint(`10.0.0.${i + 1}`));
  const user = (i: number) => ({ ...ANY, hash: xxHash64(`user-${i}`) });
  const byWeight = (members: readonly UpstreamHost[]) => make(members, sharesOf([{ members, weight: 1 }]));

  it("sends one hash always to one host, whoever asks and in whatever order the hosts came", () => {
    const one = byWeight(hosts(...ten));
    const other = byWeight(hosts(...ten.toReversed()));
    for (let i = 0; i < 200; i++) {
      expect(other.pick(user(i), 0)?.address.ip).toBe(one.pick(user(i), 0)?.address.ip);
    }
  });

  it("moves only about the lost host's share when a host goes", () => {
    const before = byWeight(hosts(...ten));
    const after = byWeight(hosts(...ten.slice(0, 9)));
    let moved = 0;
    for (let i = 0; i < 5000; i++) {
      if (before.pick(user(i), 0)?.address.ip !== after.pick(user(i), 0)?.address.ip) moved++;
    }
    expect(moved / 5000).toBeLessThan(0.2);
  });

  it("shares the hashes out by weight", () => {
    const members = hosts(endpoint("10.0.0.1", { weight: 1 }), endpoint("10.0.0.2", { weight: 4 }));
    const counts = shares(byWeight(members), 20_000, (i) => xxHash64(`user-${i}`));
    expect((counts["10.0.0.2"] ?? 0) / 20_000).toBeGreaterThan(0.74);
    expect((counts["10.0.0.2"] ?? 0) / 20_000).toBeLessThan(0.86);
  });

  it("gives another host to most further picks, and the same one to the same pick", () => {
    const picker = byWeight(hosts(...ten));
    let other = 0;
    for (let i = 0; i < 500; i++) {
      const [first, second] = [picker.pick(user(i), 0), picker.pick(user(i), 1)];
      if (second !== first) other++;
      expect(picker.pick(user(i), 1)).toBe(second);
    }
    expect(other).toBeGreaterThan(400);
  });

  it("sends requests without a hash anywhere", () => {
    expect(Object.keys(shares(byWeight(hosts(...ten)), 500))).toHaveLength(10);
  });
});

describe("maglev", () => {
  it("fills its table evenly: hosts of one weight differ by no more than one place", () => {
    const size = 1009;
    const members = hosts(...Array.from({ length: 7 }, (_, i) => endpoint(`10.0.0.${i}`)));
    const picker = createMaglev(
      members,
      () => 0,
      size,
      () => 1,
    );
    const counts = Object.values(shares(picker, size, (i) => BigInt(i)));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(counts).toHaveLength(7);
  });

  it("divides its table by weight to the place", () => {
    const size = 1009;
    const members = hosts(endpoint("10.0.0.1", { weight: 1 }), endpoint("10.0.0.2", { weight: 3 }));
    const picker = createMaglev(
      members,
      () => 0,
      size,
      (host) => host.weight,
    );
    const counts = shares(picker, size, (i) => BigInt(i));
    expect([counts["10.0.0.1"], counts["10.0.0.2"]]).toEqual([253, 756]);
  });
});

describe("slow start", () => {
  const config = { window: 60_000, aggression: 1, minimum: 0.1 };
  const aged = (clock: VirtualClock, extra: Partial<typeof config> = {}) => {
    const old = new UpstreamHost(endpoint("10.0.0.1"), clock.monotonic());
    clock.advance(60_000);
    const young = new UpstreamHost(endpoint("10.0.0.2"), clock.monotonic());
    return { members: [old, young], slowStart: new SlowStart({ ...config, ...extra }, clock) };
  };
  const young = (picker: Picker, picks = 1100) => (shares(picker, picks)["10.0.0.2"] ?? 0) / picks;

  it.each([
    { after: 0, share: 0.1 },
    { after: 3000, share: 0.1 },
    { after: 15_000, share: 0.25 },
    { after: 30_000, share: 0.5 },
    { after: 60_000, share: 1 },
  ])("gives a host $share of its share $after ms after it came", ({ after, share }) => {
    const clock = new VirtualClock();
    const { members, slowStart } = aged(clock);
    clock.advance(after);
    for (const picker of [
      createRoundRobin(members, () => 0.5, slowStart),
      createLeastRequest(members, seededRandom(), TWO_CHOICES, slowStart),
    ]) {
      expect(young(picker)).toBeCloseTo(share / (1 + share), 1);
    }
    expect(slowStart.shareOf(members[1] as UpstreamHost)).toBeCloseTo(share, 5);
  });

  it("lets the share grow while requests come, without a change of the hosts", () => {
    const clock = new VirtualClock();
    const { members, slowStart } = aged(clock);
    const picker = createRoundRobin(members, () => 0.5, slowStart);
    expect(young(picker)).toBeCloseTo(1 / 11, 1);
    clock.advance(60_000);
    young(picker);
    expect(young(picker)).toBeCloseTo(0.5, 1);
  });

  it("grows faster at first with a higher aggression", () => {
    const clock = new VirtualClock();
    const { members, slowStart } = aged(clock, { aggression: 2 });
    clock.advance(15_000);
    expect(slowStart.shareOf(members[1] as UpstreamHost)).toBeCloseTo(0.5, 5);
  });

  it("is without effect when all hosts are as old", () => {
    const clock = new VirtualClock();
    const members = [1, 2].map((i) => new UpstreamHost(endpoint(`10.0.0.${i}`), clock.monotonic()));
    const picker = createRoundRobin(members, () => 0.5, new SlowStart(config, clock));
    expect(shares(picker, 100)).toEqual({ "10.0.0.1": 50, "10.0.0.2": 50 });
  });
});

describe("priority levels", () => {
  function levels(...health: [healthy: number, total: number][]) {
    const set = new HostSet();
    set.update(
      health.flatMap(([healthy, total], priority) =>
        Array.from({ length: total }, (_, i) => endpoint(`10.${priority}.0.${i}`, { priority, serving: i < healthy })),
      ),
    );
    return set.levels;
  }

  it.each([
    {
      health: [
        [10, 10],
        [10, 10],
      ],
      percents: [100, 0],
    },
    {
      health: [
        [8, 10],
        [10, 10],
      ],
      percents: [100, 0],
    },
    {
      health: [
        [5, 10],
        [10, 10],
      ],
      percents: [70, 30],
    },
    {
      health: [
        [0, 10],
        [10, 10],
      ],
      percents: [0, 100],
    },
    {
      health: [
        [2, 10],
        [2, 10],
      ],
      percents: [50, 50],
    },
    {
      health: [
        [0, 10],
        [0, 10],
      ],
      percents: [0, 0],
    },
  ] as { health: [number, number][]; percents: number[] }[])(
    "shares $percents for health $health",
    ({ health, percents }) => {
      expect(computeLevelLoads(levels(...health), 0, 1.4).map((load) => load.percent)).toEqual(percents);
    },
  );

  it("overflows to the next level when fewer hosts are healthy than the overprovisioning factor covers", () => {
    const share = (factor: number) => computeLevelLoads(levels([8, 10], [10, 10]), 0, factor)[0]?.percent;
    expect([1, 1.1, 1.4, 2].map(share)).toEqual([80, 88, 100, 100]);
  });

  it("ignores health in panic, so that a few hosts are not overrun", () => {
    const [load] = computeLevelLoads(levels([2, 10]), 50, 1.4);
    expect(load).toEqual({ percent: 100, panic: true });
    expect(computeLevelLoads(levels([0, 10]), 50, 1.4)).toEqual([{ percent: 100, panic: true }]);
    expect(computeLevelLoads(levels([0, 10]), 0, 1.4)).toEqual([{ percent: 0, panic: false }]);
  });
});

describe("HostChooser", () => {
  const roundRobin = (members: readonly UpstreamHost[]) => createRoundRobin(members, () => 0);
  const policy = { hashes: false, createPicker: roundRobin };
  const options = { policy, random: seededRandom(), panicThreshold: 0, localityWeighted: false };

  it("follows hosts that come, go and turn unhealthy", () => {
    const set = new HostSet();
    const chooser = new HostChooser({ ...options, hosts: set });
    expect(chooser.choose(ANY)).toBeNull();
    set.update([endpoint("10.0.0.1"), endpoint("10.0.0.2")]);
    expect(chooser.choose(ANY)?.address.ip).toBe("10.0.0.1");
    set.update([endpoint("10.0.0.1", { serving: false }), endpoint("10.0.0.2")]);
    expect([chooser.choose(ANY), chooser.choose(ANY)].map((host) => host?.address.ip)).toEqual([
      "10.0.0.2",
      "10.0.0.2",
    ]);
  });

  it("looks for a host that a retry has not tried", () => {
    const set = new HostSet();
    set.update([endpoint("10.0.0.1"), endpoint("10.0.0.2")]);
    const chooser = new HostChooser({ ...options, hosts: set });
    const tried = chooser.choose(ANY);
    expect(tried).not.toBeNull();
    for (let i = 0; i < 4; i++) {
      const host = chooser.choose({ ...ANY, hostAttempts: 1, triedHosts: tried === null ? [] : [tried] });
      expect(host?.address.ip).not.toBe(tried?.address.ip);
    }
  });

  it("takes what comes where no further pick is allowed or none helps", () => {
    const set = new HostSet();
    set.update([endpoint("10.0.0.1"), endpoint("10.0.0.2")]);
    const chooser = new HostChooser({ ...options, hosts: set });
    const tried = [...set.hosts];
    expect(chooser.choose({ ...ANY, hostAttempts: 3, triedHosts: tried })).not.toBeNull();
    const first = chooser.choose(ANY);
    chooser.choose(ANY);
    expect(chooser.choose({ ...ANY, hostAttempts: 0, triedHosts: first === null ? [] : [first] })).toBe(first);
  });

  it("leaves out the priorities that a retry has tried, as long as another one can serve", () => {
    const set = new HostSet();
    set.update([endpoint("10.0.0.1"), endpoint("10.0.1.1", { priority: 1 })]);
    const chooser = new HostChooser({ ...options, hosts: set });
    const ip = (...tried: number[]) => chooser.choose({ ...ANY, triedPriorities: new Set(tried) })?.address.ip;
    expect([ip(), ip(0), ip(1), ip(0, 1)]).toEqual(["10.0.0.1", "10.0.1.1", "10.0.0.1", "10.0.0.1"]);
    set.update([endpoint("10.0.0.1"), endpoint("10.0.1.1", { priority: 1, serving: false })]);
    expect(ip(0)).toBe("10.0.0.1");
    const panicking = new HostChooser({ ...options, hosts: set, panicThreshold: 50 });
    expect(panicking.choose({ ...ANY, triedPriorities: new Set([0]) })?.address.ip).toBe("10.0.0.1");
  });

  it("shrinks a locality's weight with its health, after some overprovisioning", () => {
    const west = { locality: { region: "west", zone: "", subZone: "" }, localityWeight: 50 };
    const east = { locality: { region: "east", zone: "", subZone: "" }, localityWeight: 50 };
    const share = (healthyInWest: number, overprovisioning?: number) => {
      const set = new HostSet();
      const members = [0, 1, 2, 3].map((i) => endpoint(`10.0.0.${i}`, { ...west, serving: i < healthyInWest }));
      set.update([...members, endpoint("10.0.1.1", east)], 0, overprovisioning);
      const chooser = new HostChooser({ ...options, hosts: set, localityWeighted: true });
      return shares({ pick: (context) => chooser.choose(context) }, 1700)["10.0.1.1"];
    };
    expect(share(3)).toBe(850);
    // Half of it healthy: 1.4 × 0.5 of its weight is left.
    expect(share(2)).toBe(1000);
    expect(share(2, 2)).toBe(850);
  });

  it("splits by locality weight before it picks a host", () => {
    const west = { region: "west", zone: "", subZone: "" };
    const east = { region: "east", zone: "", subZone: "" };
    const set = new HostSet();
    set.update([
      endpoint("10.0.0.1", { locality: west, localityWeight: 80 }),
      endpoint("10.0.0.2", { locality: east, localityWeight: 20 }),
      endpoint("10.0.0.3", { locality: east, localityWeight: 20 }),
    ]);
    const chooser = new HostChooser({ ...options, hosts: set, localityWeighted: true });
    expect(shares({ pick: (context) => chooser.choose(context) }, 1000)).toEqual({
      "10.0.0.1": 800,
      "10.0.0.2": 100,
      "10.0.0.3": 100,
    });
  });

  it("keeps one hash on one host across localities and priorities, their weights counting", () => {
    const west = { locality: { region: "west", zone: "", subZone: "" }, localityWeight: 75 };
    const east = { locality: { region: "east", zone: "", subZone: "" }, localityWeight: 25 };
    const set = new HostSet();
    set.update([
      endpoint("10.0.0.1", west),
      ...[1, 2, 3].map((i) => endpoint(`10.0.1.${i}`, { ...east, serving: i > 1 })),
      ...[1, 2, 3, 4].map((i) => endpoint(`10.1.0.${i}`, { priority: 1 })),
    ]);
    const hashing = HASHING.map(({ make }) => ({ hashes: true, createPicker: make }));
    for (const policy of hashing) {
      const choose = (random: () => number) =>
        new HostChooser({ ...options, policy, random, hosts: set, localityWeighted: true });
      const [one, other] = [choose(seededRandom(1)), choose(seededRandom(2))];
      const counts: Record<string, number> = {};
      for (let i = 0; i < 4000; i++) {
        const context = { ...ANY, hash: xxHash64(`user-${i}`) };
        const ip = one.choose(context)?.address.ip ?? "none";
        expect(other.choose(context)?.address.ip).toBe(ip);
        counts[ip] = (counts[ip] ?? 0) + 1;
      }
      // The locality that lost a host keeps its weight, as in Envoy where hashing decides.
      const share =
        (counts["10.0.0.1"] ?? 0) / ((counts["10.0.0.1"] ?? 0) + (counts["10.0.1.2"] ?? 0) + (counts["10.0.1.3"] ?? 0));
      expect(share).toBeGreaterThan(0.7);
      expect(share).toBeLessThan(0.82);
      expect(counts["10.0.1.1"]).toBeUndefined();
    }
  });
});
