import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import type { RunningDemo } from "./running-demo.ts";

type Pick = (below: number) => number;
type Document = Record<string, unknown> & { metadata: { name: string }; spec: Record<string, unknown> };

const NETWORKING = "networking.istio.io/v1";
const EXTRA = 3;

/** Numbers that are the same for the same seed. */
export function picker(seed: number): Pick {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * A hand that creates, changes and deletes objects in the folder of a running demo. Nothing of it takes a
 * destination away that routes name, so the only requests that may fail are those that a fault says to fail.
 */
export class RandomMesh {
  readonly #demo: RunningDemo;
  readonly #pick: Pick;
  readonly #rules: readonly Document[];
  readonly #workloads: readonly Document[];
  readonly #present = new Set<string>(["reviews.yaml"]);

  private constructor(demo: RunningDemo, pick: Pick, rules: readonly Document[], workloads: readonly Document[]) {
    this.#demo = demo;
    this.#pick = pick;
    this.#rules = rules;
    this.#workloads = workloads;
  }

  static async of(demo: RunningDemo, seed: number): Promise<RandomMesh> {
    const read = async (name: string) =>
      parseAllDocuments(await readFile(join(demo.summary.config, name), "utf8")).map((document) => document.toJS());
    return new RandomMesh(demo, picker(seed), await read("destination-rules.yaml"), await read("workloads.yaml"));
  }

  async change(): Promise<void> {
    const n = this.#pick(EXTRA);
    switch (this.#pick(8)) {
      case 0:
      case 1:
        return this.#toggle("reviews.yaml", [this.#reviews()], 5);
      case 2:
        return this.#put("destination-rules.yaml", this.#changedRules());
      case 3:
        return this.#put("workloads.yaml", this.#somePods());
      case 4:
        return this.#toggle(
          `entry-${n}.yaml`,
          [this.#serviceEntry(n), this.#routes(`entry-${n}`, `entry-${n}.test`)],
          3,
        );
      case 5:
        return this.#toggle(`idle-${n}.yaml`, [this.#idleService(n)], 2);
      case 6:
        return this.#toggle(`ratings.yaml`, [this.#routes("ratings", "ratings")], 2);
      default:
        return this.#toggle(`wrong-${n}.yaml`, [object("VirtualService", `wrong-${n}`, { hosts: ["reviews"] })], 2);
    }
  }

  /**
   * The last changes: rules, and an endpoint of details, in which `mark` shows. No VirtualService, whose push would
   * look at clusters and routes again and so make good what an earlier one had missed.
   */
  async finish(mark: string): Promise<void> {
    const trafficPolicy = { loadBalancer: { simple: "RANDOM" } };
    const rules = this.#rules.map((rule) => ({ ...rule, spec: { ...rule.spec, trafficPolicy } }));
    await this.#put("destination-rules.yaml", rules);
    const workloads = this.#workloads.map((entry) =>
      entry.metadata.name === "details-v1" ? { ...entry, spec: { ...entry.spec, locality: mark } } : entry,
    );
    await this.#put("workloads.yaml", workloads);
  }

  async #put(name: string, documents: readonly object[]): Promise<void> {
    this.#present.add(name);
    await this.#demo.write(name, documents.map((document) => stringify(document)).join("---\n"));
  }

  /** Writes; once in `odds` times deletes what is there. */
  async #toggle(name: string, documents: readonly object[], odds: number): Promise<void> {
    if (!this.#present.has(name) || this.#pick(odds) > 0) return this.#put(name, documents);
    this.#present.delete(name);
    await this.#demo.remove(name);
  }

  #reviews(): object {
    const weight = this.#pick(101);
    const split = [
      { destination: { host: "reviews", subset: "v1" }, weight },
      { destination: { host: "reviews", subset: "v3" }, weight: 100 - weight },
    ];
    const fault = this.#pick(4) === 0 ? { fault: { abort: { httpStatus: 418, percentage: { value: 30 } } } } : {};
    const timeout = this.#pick(2) === 0 ? { timeout: `${20 + this.#pick(20)}s` } : {};
    const route = this.#pick(3) === 0 ? [{ destination: { host: "reviews" } }] : split;
    const special = { match: [{ headers: { "end-user": { exact: `u${this.#pick(9)}` } } }], route: split };
    const http = [...(this.#pick(2) === 0 ? [special] : []), { route, ...fault, ...timeout }];
    return object("VirtualService", "reviews", { hosts: ["reviews"], http });
  }

  #routes(name: string, host: string): object {
    const retries = { attempts: 1 + this.#pick(4), retryOn: "5xx,connect-failure,refused-stream" };
    return object("VirtualService", name, { hosts: [host], http: [{ route: [{ destination: { host } }], retries }] });
  }

  #changedRules(): object[] {
    const simple = ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"][this.#pick(3)];
    const policies = [
      { loadBalancer: { simple } },
      { loadBalancer: { consistentHash: { httpHeaderName: "x-request-id" } } },
      { connectionPool: { http: { http2MaxRequests: 500 + this.#pick(500) } } },
      { outlierDetection: { consecutive5xxErrors: 5 + this.#pick(5), interval: "10s" } },
    ];
    return this.#rules.map((rule) => {
      if (this.#pick(2) === 0) return rule;
      return { ...rule, spec: { ...rule.spec, trafficPolicy: policies[this.#pick(policies.length)] } };
    });
  }

  /** reviews-v2, to which no route leads by name, comes and goes. */
  #somePods(): object[] {
    const without = this.#pick(2) === 0;
    return this.#workloads.filter(({ metadata }) => !(without && metadata.name === "reviews-v2"));
  }

  #serviceEntry(n: number): object {
    const endpoints = Array.from({ length: 1 + this.#pick(3) }, (_, i) => ({ address: `192.0.2.${10 * n + i + 1}` }));
    const ports = [{ number: 80, name: "http", protocol: "HTTP" }];
    return object("ServiceEntry", `entry-${n}`, { hosts: [`entry-${n}.test`], ports, resolution: "STATIC", endpoints });
  }

  #idleService(n: number): object {
    const ports = [{ name: "http", port: 80 + this.#pick(3) }];
    const metadata = { name: `idle-${n}`, namespace: "default" };
    return { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: "nobody" }, ports } };
  }
}

function object(kind: string, name: string, spec: object): object {
  return { apiVersion: NETWORKING, kind, metadata: { name, namespace: "default" }, spec };
}
