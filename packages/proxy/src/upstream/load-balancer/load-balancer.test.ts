import { describe, expect, it } from "vitest";
import { HostSet } from "../host-set.ts";
import { ANY, endpoint, seededRandom } from "../testing/fixtures.ts";
import { type EndpointConfig, UpstreamHost } from "../upstream-host.ts";
import { HostChooser } from "./host-chooser.ts";
import { createLeastRequest } from "./least-request.ts";
import type { Picker } from "./load-balancer.ts";
import { computeLevelLoads } from "./priority-load.ts";
import { createRandom } from "./random.ts";
import { createRingHash, hash32 } from "./ring-hash.ts";
import { createRoundRobin } from "./round-robin.ts";

function hosts(...endpoints: EndpointConfig[]): UpstreamHost[] {
  return endpoints.map((config) => new UpstreamHost(config));
}

function shares(picker: Picker, picks: number, hash?: (i: number) => number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < picks; i++) {
    const host = picker.pick(hash === undefined ? ANY : { ...ANY, hash: hash(i) });
    const key = host?.address.ip ?? "none";
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

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
    const order = Array.from({ length: 16 }, () => picker.pick(ANY)?.address.ip);
    expect(order.join(" ")).not.toContain("10.0.0.3 10.0.0.3 10.0.0.3");
  });
});

describe("least request", () => {
  it("prefers the host with fewer requests in flight", () => {
    const members = hosts(endpoint("10.0.0.1"), endpoint("10.0.0.2"));
    const busy = members[0] as UpstreamHost;
    busy.activeRequests = 10;
    const counts = shares(createLeastRequest(members, seededRandom(), 2), 1000);
    // Both draws hit the busy host in a quarter of the cases.
    expect(counts["10.0.0.1"]).toBeGreaterThan(200);
    expect(counts["10.0.0.1"]).toBeLessThan(300);
  });

  it("shrinks a weighted host's share with its requests in flight", () => {
    const members = hosts(endpoint("10.0.0.1", { weight: 2 }), endpoint("10.0.0.2", { weight: 1 }));
    const loaded = members[0] as UpstreamHost;
    loaded.activeRequests = 3;
    const counts = shares(
      createLeastRequest(members, () => 0.5, 2),
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

describe("ring hash", () => {
  const ten = Array.from({ length: 10 }, (_, i) => endpoint(`10.0.0.${i + 1}`));

  it("sends one hash always to one host", () => {
    const picker = createRingHash(hosts(...ten), seededRandom(), 1024, 8_388_608);
    for (let i = 0; i < 50; i++) {
      const first = picker.pick({ ...ANY, hash: hash32(`user-${i}`) })?.address.ip;
      const again = createRingHash(hosts(...ten), seededRandom(7), 1024, 8_388_608).pick({
        ...ANY,
        hash: hash32(`user-${i}`),
      });
      expect(again?.address.ip).toBe(first);
    }
  });

  it("moves only about the lost host's share when a host goes", () => {
    const before = createRingHash(hosts(...ten), seededRandom(), 1024, 8_388_608);
    const after = createRingHash(hosts(...ten.slice(0, 9)), seededRandom(), 1024, 8_388_608);
    let moved = 0;
    for (let i = 0; i < 5000; i++) {
      const context = { ...ANY, hash: hash32(`user-${i}`) };
      if (before.pick(context)?.address.ip !== after.pick(context)?.address.ip) moved++;
    }
    expect(moved / 5000).toBeLessThan(0.2);
  });

  it("hashes as MurmurHash3 does", () => {
    expect(hash32("")).toBe(0);
    expect(hash32("hello")).toBe(0x248bfa47);
    expect(hash32("The quick brown fox jumps over the lazy dog")).toBe(0x2e4ff723);
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
      expect(computeLevelLoads(levels(...health), 0).map((load) => load.percent)).toEqual(percents);
    },
  );

  it("ignores health in panic, so that a few hosts are not overrun", () => {
    const [load] = computeLevelLoads(levels([2, 10]), 50);
    expect(load).toEqual({ percent: 100, panic: true });
    expect(computeLevelLoads(levels([0, 10]), 50)).toEqual([{ percent: 100, panic: true }]);
    expect(computeLevelLoads(levels([0, 10]), 0)).toEqual([{ percent: 0, panic: false }]);
  });
});

describe("HostChooser", () => {
  const roundRobin = (members: readonly UpstreamHost[]) => createRoundRobin(members, () => 0);
  const options = { createPicker: roundRobin, random: seededRandom(), panicThreshold: 0, localityWeighted: false };

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
    const share = (healthyInWest: number) => {
      const set = new HostSet();
      set.update([
        ...[0, 1, 2, 3].map((i) => endpoint(`10.0.0.${i}`, { ...west, serving: i < healthyInWest })),
        endpoint("10.0.1.1", east),
      ]);
      const chooser = new HostChooser({ ...options, hosts: set, localityWeighted: true });
      return shares({ pick: (context) => chooser.choose(context) }, 1700)["10.0.1.1"];
    };
    expect(share(3)).toBe(850);
    // Half of it healthy: 1.4 × 0.5 of its weight is left.
    expect(share(2)).toBe(1000);
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
});
