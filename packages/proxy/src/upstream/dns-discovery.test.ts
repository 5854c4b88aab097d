import { VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import type { NamedEndpoint } from "./cluster-config.ts";
import { DnsDiscovery } from "./dns-discovery.ts";
import { systemResolver } from "./dns-resolver.ts";
import { NO_LOCALITY } from "./upstream-host.ts";

type Config = ConstructorParameters<typeof DnsDiscovery>[0];

const named = (name: string, port = 80): NamedEndpoint => ({
  name,
  port,
  weight: 1,
  priority: 0,
  locality: NO_LOCALITY,
  localityWeight: 0,
  metadata: {},
  serving: true,
});

/** Answers of a name server by name; a number is the lifetime in ms, "fail" a failure. */
type Answer = { addresses: string[]; ttl?: number } | "fail";

function discover(overrides: Partial<Config>, answer: (name: string, n: number) => Answer, random = () => 0) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const hosts: string[][] = [];
  const outcomes: boolean[] = [];
  const config: Config = {
    kind: "strict-dns",
    endpoints: [named("a.example")],
    overprovisioning: 1.4,
    family: "auto",
    refreshRate: 5000,
    respectTtl: false,
    failureRefresh: null,
    ...overrides,
  };
  const counts = new Map<string, number>();
  const discovery = new DnsDiscovery(
    config,
    {
      clock,
      random,
      resolve: async (name, _family, wantsTtl) => {
        const n = counts.get(name) ?? 0;
        counts.set(name, n + 1);
        asked.push(`${clock.monotonic()} ${name}`);
        const given = answer(name, n);
        if (given === "fail") throw new Error("SERVFAIL");
        return { addresses: given.addresses, ttl: wantsTtl ? (given.ttl ?? null) : null };
      },
    },
    {
      onHosts: (endpoints) => hosts.push(endpoints.map((endpoint) => `${endpoint.hostname} ${endpoint.address.text}`)),
      onOutcome: (success) => outcomes.push(success),
    },
  );
  return { clock, discovery, asked, hosts, outcomes, times: () => asked.map((line) => Number(line.split(" ")[0])) };
}

describe("DNS discovery", () => {
  it("waits for all names before it gives hosts, then follows each by itself", async () => {
    const endpoints = [named("a.example"), named("b.example", 81), named("a.example", 82)];
    const { clock, hosts } = discover({ endpoints }, (name, n) => ({
      addresses: [`10.0.${name[0] === "a" ? 0 : 1}.${n}`],
    }));
    await clock.advanceAsync(1);
    expect(hosts).toEqual([["a.example 10.0.0.0:80", "b.example 10.0.1.0:81", "a.example 10.0.0.0:82"]]);
    await clock.advanceAsync(5000);
    expect(hosts.at(-1)).toEqual(["a.example 10.0.0.1:80", "b.example 10.0.1.1:81", "a.example 10.0.0.1:82"]);
  });

  it("takes the first address only where the cluster is logical", async () => {
    const answer = () => ({ addresses: ["10.0.0.1", "10.0.0.2"] });
    const { clock, hosts } = discover({ kind: "logical-dns" }, answer);
    await clock.advanceAsync(1);
    expect(hosts).toEqual([["a.example 10.0.0.1:80"]]);
  });

  it("asks again at the rate, or by the lifetime of the answer; a lifetime of 0 means the rate", async () => {
    const asking = async (respectTtl: boolean, ttl: number) => {
      const { clock, times } = discover({ respectTtl }, () => ({ addresses: ["10.0.0.1"], ttl }));
      await clock.advanceAsync(10_000, 500);
      return times();
    };
    expect(await asking(false, 2000)).toEqual([0, 5000, 10_000]);
    expect(await asking(true, 2000)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
    expect(await asking(true, 0)).toEqual([0, 5000, 10_000]);
  });

  it("keeps what it found while look-ups fail, asking at the rate of failures, which grows to its maximum", async () => {
    const failureRefresh = { base: 1000, maximum: 4000 };
    const { clock, times, hosts, outcomes } = discover(
      { failureRefresh },
      (_name, n) => (n === 0 || n > 4 ? { addresses: [`10.0.0.${n}`] } : "fail"),
      () => 1,
    );
    await clock.advanceAsync(22_000, 500);
    // 5 s by the rate, then 1, 2, 4 and 4 s, then the rate again.
    expect(times()).toEqual([0, 5000, 6000, 8000, 12_000, 16_000, 21_000]);
    expect(outcomes.slice(0, 6)).toEqual([true, false, false, false, false, true]);
    expect(hosts.slice(0, 6).map((list) => list[0])).toEqual([
      ...Array.from({ length: 5 }, () => "a.example 10.0.0.0:80"),
      "a.example 10.0.0.5:80",
    ]);
  });

  it("becomes ready without hosts where a name cannot be found", async () => {
    const { clock, hosts } = discover({}, () => "fail");
    await clock.advanceAsync(1);
    expect(hosts).toEqual([[]]);
  });

  it("becomes ready without hosts where there is no name", async () => {
    const { clock, hosts } = discover({ endpoints: [] }, () => "fail");
    expect(hosts).toEqual([]);
    await clock.advanceAsync(1);
    expect(hosts).toEqual([[]]);
  });

  it("asks no more, and tells no more, once it is closed", async () => {
    const { clock, discovery, asked, hosts } = discover({}, () => ({ addresses: ["10.0.0.1"] }));
    discovery.close();
    await clock.advanceAsync(20_000, 5000);
    expect([asked.length, hosts, clock.pending]).toEqual([1, [], 0]);
  });
});

describe("the system's resolver", () => {
  it("knows the names of this machine, and takes an address as it is", async () => {
    expect((await systemResolver("localhost", "v4", false)).addresses).toContain("127.0.0.1");
    expect(await systemResolver("10.1.2.3", "auto", true)).toEqual({ addresses: ["10.1.2.3"], ttl: null });
  });
});
