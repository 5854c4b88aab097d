// The series that the control plane has of itself, taken from the classes that count them.

const TYPES = ["cluster", "endpoint", "listener", "route"];

/**
 * Lets every event happen once, so that each metric shows its labels; returns name, type, labels and help of each, by
 * name. `code` has the classes from wherever the caller takes them: sources or build.
 */
export function controlPlaneMetrics({ PilotMetrics, AuthorityMetrics, PUSH_STATUS, VirtualClock, TypeUrl }) {
  const pilot = new PilotMetrics(new VirtualClock(), "0");
  new AuthorityMetrics(pilot.store, () => 0);
  const connection = { node: { id: "proxy" } };
  const { observer, pushObserver } = pilot;
  pushObserver.onChange("Service");
  pushObserver.onPush(1, new Set(["Service"]));
  pushObserver.onContext(1);
  observer.onConnect(connection);
  for (const type of TYPES) observer.onNack(connection, TypeUrl[type], null);
  const { cluster } = TypeUrl;
  observer.onSent(connection, { typeUrl: cluster, resources: 1, removed: 0, bytes: 1, generateTime: 1 });
  observer.onWritten(connection, cluster, 1);
  observer.onInternalError(connection, cluster);
  observer.onWriteTimeout(connection);
  observer.onStaleNonce(connection, cluster);
  pilot.configuration(1, 1, 1);
  pilot.pushStatus(Object.fromEntries(Object.keys(PUSH_STATUS).map((name) => [name, new Set()])));
  pilot.refresh();
  const families = [...pilot.store.families()].filter(({ name }) => !name.startsWith("mixerless_"));
  const metrics = families.map(describe).sort((a, b) => (a.name < b.name ? -1 : 1));
  pilot.store.close();
  return metrics;
}

function describe(family) {
  const { name, type, help } = family;
  const [series] = family.entries();
  if (series === undefined) throw new Error(`control-plane-metrics.mjs: let happen what ${name} counts`);
  return { name, type, help, labels: series.labels.map(([label]) => label) };
}
