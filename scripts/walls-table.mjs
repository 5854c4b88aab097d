/**
 * Who may import whom, ground floor first: the table of packages in the design. A package may import the
 * packages that its row names, and each of those stands further up, so there can be no circle. Rows of
 * rooms that are not open yet are here already.
 *
 * The reasons for the walls that surprise: `sdk` and `extensions` also compile to Wasm, where nothing of
 * the rest exists; `proxy` gets its extensions as a table, so that it runs with any or none; `proxy` and
 * `pilot` meet only in `wire` and `xds`, because Envoy may stand in for either.
 */
export const rows = {
  clock: [],
  "admin-server": [],
  wire: ["clock"],
  metrics: ["clock"],
  matchers: ["wire"],
  queue: ["clock"],
  identity: ["clock"],
  expression: ["clock"],
  policy: ["clock", "wire", "matchers", "expression", "identity"],
  xds: ["clock", "wire", "metrics", "queue"],
  wasm: ["clock", "metrics"],
  sdk: ["clock"],
  extensions: ["sdk"],
  stackdriver: ["clock", "wire", "queue", "sdk", "extensions"],
  proxy: [
    ...["clock", "admin-server", "wire", "metrics", "matchers", "queue", "identity", "expression", "policy", "xds"],
    ...["wasm"],
  ],
  pilot: ["clock", "admin-server", "wire", "metrics", "identity", "expression", "policy", "xds"],
  store: ["clock", "metrics"],
  mixer: ["clock", "wire", "metrics", "queue"],
  agent: [
    ...["clock", "admin-server", "wire", "metrics", "queue", "identity", "expression", "policy", "xds", "wasm"],
    ...["sdk", "extensions", "stackdriver", "proxy", "mixer"],
  ],
  console: [],
  bookinfo: [],
  mixerless: [
    ...["clock", "admin-server", "wire", "metrics", "queue", "identity", "expression", "policy", "xds", "wasm"],
    ...[
      "matchers",
      "sdk",
      "extensions",
      "stackdriver",
      "proxy",
      "pilot",
      "store",
      "mixer",
      "agent",
      "console",
      "bookinfo",
    ],
  ],
};

/** Folders with source of their own that stand outside the workspaces and their walls. */
export const outside = ["bench", "docs", "interop", "scripts", "tools"];
