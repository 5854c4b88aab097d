import { describe, expect, test } from "vitest";
import { type ConfigChange, ConfigStore } from "./config-store.ts";
import { readConfig } from "./read-config.ts";

const rule = (name: string, host = name, more = "") =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}${more}}\nspec: {host: ${host}}\n`;

function write(store: ConfigStore, file: string, ...documents: string[]): ConfigChange {
  return store.apply([{ reading: readConfig({ file, text: documents.join("---\n") }) }]);
}

const hosts = (store: ConfigStore) =>
  store
    .snapshot()
    .list("DestinationRule")
    .map(({ spec }) => spec.host);
const codes = (store: ConfigStore) => store.faults().map(({ file, code }) => `${file} ${code}`);

describe("revisions", () => {
  test("grow with every change and name what changed", () => {
    const store = new ConfigStore();
    expect(write(store, "a", rule("x"), rule("y"))).toEqual({
      revision: 1,
      changed: new Set(["DestinationRule/default/x", "DestinationRule/default/y"]),
      faultsChanged: false,
    });
    expect(write(store, "a", rule("x"), rule("y", "z")).changed).toEqual(new Set(["DestinationRule/default/y"]));
    expect(store.snapshot().revision).toBe(2);
  });

  test("stay when the same is written again, but lines follow the file", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"));
    const change = write(store, "a", `# a comment\n${rule("x")}`);
    expect(change).toEqual({ revision: 1, changed: new Set(), faultsChanged: false });
    expect(store.snapshot().get("DestinationRule/default/x")?.origin.line).toBe(2);
  });

  test("snapshots are immutable", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"));
    const before = store.snapshot();
    write(store, "a", rule("x", "other"));
    expect(before.list("DestinationRule").map(({ spec }) => spec.host)).toEqual(["x"]);
    expect(hosts(store)).toEqual(["other"]);
  });
});

describe("the last good state", () => {
  test("a refused object keeps its last good version, its neighbours change", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"), rule("y"));
    const change = write(store, "a", rule("x", "5"), rule("y", "new"));
    expect(hosts(store)).toEqual(["x", "new"]);
    expect(change.changed).toEqual(new Set(["DestinationRule/default/y"]));
    expect(codes(store)).toEqual(["a wrong-type"]);
    write(store, "a", rule("x", "fixed"), rule("y", "new"));
    expect(hosts(store)).toEqual(["fixed", "new"]);
    expect(codes(store)).toEqual([]);
  });

  test("an object that was never valid is not there", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x", "5"));
    expect(hosts(store)).toEqual([]);
  });

  test("a broken file keeps all its objects", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"), rule("y"));
    write(store, "a", rule("x"), "spec: [");
    expect(hosts(store)).toEqual(["x", "y"]);
    expect(codes(store)).toEqual(["a syntax"]);
  });

  test("while a file holds something without a name, nothing missing counts as removed", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"), rule("y"));
    write(store, "a", rule("x", "new"), rule("y").replace("name: y", ""));
    expect(hosts(store)).toEqual(["new", "y"]);
    write(store, "a", rule("x", "new"));
    expect(hosts(store)).toEqual(["new"]);
  });

  test("a removed file takes its objects along", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"));
    const change = store.apply([{ removed: "a" }]);
    expect(change.changed).toEqual(new Set(["DestinationRule/default/x"]));
    expect(hosts(store)).toEqual([]);
  });

  test("an object that moved to another file and broke on the way keeps its last good version", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"));
    store.apply([{ removed: "a" }, { reading: readConfig({ file: "b", text: rule("x", "5") }) }]);
    expect(hosts(store)).toEqual(["x"]);
    write(store, "b", rule("x", "fixed"));
    expect(hosts(store)).toEqual(["fixed"]);
    store.apply([{ removed: "b" }]);
    expect(hosts(store)).toEqual([]);
  });
});

describe("one object in two files", () => {
  test("the later one is refused, with both places", () => {
    const store = new ConfigStore();
    write(store, "b", rule("x", "first"));
    write(store, "a", "# later, though its name sorts first\n", rule("x", "second"));
    expect(hosts(store)).toEqual(["first"]);
    const [fault] = store.faults();
    expect(fault).toMatchObject({ code: "duplicate-object", severity: "error", file: "a", line: 3 });
    expect(fault?.message).toContain("b:1");
  });

  test("read at once, the order of the files decides", () => {
    const store = new ConfigStore();
    store.apply(["b", "a"].map((file) => ({ reading: readConfig({ file, text: rule("x", file) }) })));
    expect(hosts(store)).toEqual(["a"]);
  });

  test("the other takes over when the first is gone", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x", "first"));
    write(store, "b", rule("x", "second"));
    store.apply([{ removed: "a" }]);
    expect(hosts(store)).toEqual(["second"]);
    expect(codes(store)).toEqual([]);
  });

  test("twice in one file: the first one holds", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x", "first"), rule("x", "second"));
    expect(hosts(store)).toEqual(["first"]);
    expect(codes(store)).toEqual(["a duplicate-object"]);
  });

  test("there is one mesh configuration", () => {
    const store = new ConfigStore();
    write(store, "a", "kind: MeshConfig\nmetadata: {name: one}\nspec: {rootNamespace: a}\n");
    write(store, "b", "kind: MeshConfig\nmetadata: {name: two}\nspec: {rootNamespace: b}\n");
    expect(
      store
        .snapshot()
        .list("MeshConfig")
        .map(({ spec }) => spec.rootNamespace),
    ).toEqual(["a"]);
    expect(codes(store)).toEqual(["b duplicate-object"]);
  });
});

describe("age", () => {
  test("creation time, then the order of files and documents", () => {
    const store = new ConfigStore();
    write(store, "b", rule("p"), rule("o"));
    write(store, "a", rule("z", "z", ", creationTimestamp: 2026-02-01T00:00:00Z"), rule("n"));
    write(store, "c", rule("y", "y", ", creationTimestamp: 2026-01-01T00:00:00Z"));
    expect(hosts(store)).toEqual(["y", "z", "n", "p", "o"]);
  });

  test("equal times go by name", () => {
    const store = new ConfigStore();
    const time = ", creationTimestamp: 2026-01-01T00:00:00Z";
    write(store, "a", rule("b", "b", time), rule("a", "a", time));
    expect(hosts(store)).toEqual(["a", "b"]);
  });

  test("a change of order is a change: age decides conflicts", () => {
    const store = new ConfigStore();
    write(store, "a", rule("x"), rule("y"), rule("z"));
    expect(write(store, "a", rule("y"), rule("x"), rule("z")).changed).toEqual(
      new Set(["DestinationRule/default/x", "DestinationRule/default/y"]),
    );
  });
});

describe("subscribers", () => {
  test("hear of objects and of faults, once per change, until they leave", () => {
    const store = new ConfigStore();
    const heard: ConfigChange[] = [];
    const leave = store.subscribe((change) => heard.push(change));
    write(store, "a", rule("x"));
    write(store, "a", rule("x"));
    write(store, "a", rule("x", "5"));
    expect(heard.map(({ revision, changed, faultsChanged }) => [revision, changed.size, faultsChanged])).toEqual([
      [1, 1, false],
      [1, 0, true],
    ]);
    leave();
    write(store, "a", rule("x", "new"));
    expect(heard).toHaveLength(2);
  });
});
