import { describe, expect, it } from "vitest";
import { LogLevels, pluginLevel } from "./log-levels.ts";

describe("log levels", () => {
  it("let through what is at least as grave, logger by logger, from the moment they change", () => {
    const said: string[] = [];
    const levels = new LogLevels((message) => said.push(message));
    const [main, wasm] = [levels.logger("main"), levels.logger("wasm")];
    main("a");
    wasm("b", pluginLevel(1));
    expect(levels.set("wasm", "debug")).toBeNull();
    expect(levels.set("main", "warn")).toBeNull();
    wasm("c", pluginLevel(1));
    main("d");
    main("e", "error");
    expect(levels.set(null, "off")).toBeNull();
    main("f", "critical");
    expect(said).toEqual(["a", "c", "e"]);
  });
});
