import { decodeJson, formatFault } from "@mixerless/wire";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { afterEach, describe, expect, it } from "vitest";
import { GO_ON, NOTE, networkPlugin, note, on, PluginChain, turn } from "../wasm/testing/plugin-chain.ts";

const TYPE = "type.googleapis.com/envoy.extensions.filters.network.";
const WASM = `${TYPE}wasm.v3.Wasm`;
const RBAC = `${TYPE}rbac.v3.RBAC`;
const DENY = { "@type": RBAC, statPrefix: "deny", rules: {} };
const ALLOW = { "@type": RBAC, statPrefix: "allow" };

const chains: PluginChain[] = [];
afterEach(() => {
  for (const chain of chains.splice(0)) chain.close();
});

function chainOf(discovery: object = {}): PluginChain {
  const configDiscovery = { configSource: { ads: {} }, typeUrls: [WASM, RBAC], ...discovery };
  const chain = new PluginChain([{ name: "late", configDiscovery }]);
  chains.push(chain);
  return chain;
}

/** What the control plane delivers; gives the reasons for a refusal. */
async function deliver({ test }: PluginChain, typedConfig: object): Promise<string[]> {
  const decoded = decodeJson(TypedExtensionConfigSchema, { name: "late", typedConfig });
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join());
  const faults = test.filterConfigs.set(decoded.message).map(({ path, message }) => `${path}: ${message}`);
  await test.context.extensions.settled();
  return faults;
}

function pluginConfig(letter: string): object {
  const plugin = networkPlugin("late", NOTE + on("downstream_data", 3, note(letter), GO_ON));
  return (plugin as { typedConfig: object }).typedConfig;
}

describe("a network filter whose configuration is delivered apart (config_discovery)", () => {
  it("lets its listener wait for the first configuration and runs with it", async () => {
    const chain = chainOf();
    expect([chain.factory.warming, [...chain.test.filterConfigs.names]]).toEqual([true, ["late"]]);
    expect(await deliver(chain, pluginConfig("a"))).toEqual([]);
    expect(chain.factory.warming).toBe(false);
    const { down, connect } = chain.accept();
    const up = connect();
    down.receive("x");
    expect([up.sent, chain.notes]).toEqual(["x", ["a1"]]);
  });

  it("changes under open connections, for those that begin from then on", async () => {
    const chain = chainOf();
    await deliver(chain, pluginConfig("a"));
    const old = chain.accept();
    old.connect();
    await deliver(chain, pluginConfig("b"));
    const fresh = chain.accept();
    fresh.connect();
    for (const { down } of [old, fresh]) down.receive("x");
    expect(chain.notes).toEqual(["a1", "b1"]);
  });

  it("serves with default_config at once where warming is not wanted, and again when it is taken back", async () => {
    const chain = chainOf({ defaultConfig: DENY, applyDefaultConfigWithoutWarming: true });
    expect(chain.factory.warming).toBe(false);
    expect(chain.accept().dialled()).toBe(0);
    await deliver(chain, ALLOW);
    expect(chain.accept().dialled()).toBe(1);
    chain.test.filterConfigs.remove("late");
    const refused = chain.accept();
    await turn();
    expect([refused.dialled(), refused.down.destroyed]).toEqual([1, true]);
  });

  it("closes connections, with the reason in their log, where nothing came and there is no default", async () => {
    const chain = chainOf();
    chain.test.clock.advance(15_000);
    expect(chain.factory.warming).toBe(false);
    const { down, dialled } = chain.accept();
    await turn();
    expect([dialled(), down.destroyed]).toEqual([0, true]);
    down.handler?.onClose(null);
    expect(chain.test.log()).toEqual(["0 0 filter_config_not_found -"]);
  });

  it("refuses what it can't run, by name, and goes on with what it has", async () => {
    const chain = chainOf({ typeUrls: [RBAC, `${TYPE}echo.v3.Echo`] });
    await deliver(chain, DENY);
    const faults = await deliver(chain, { "@type": `${TYPE}echo.v3.Echo` });
    expect(faults).toEqual([expect.stringContaining("echo.v3.Echo is not supported")]);
    expect(chain.accept().dialled()).toBe(0);
  });
});
