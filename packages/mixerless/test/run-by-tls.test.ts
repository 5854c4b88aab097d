import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { JoinedMesh } from "./joined-mesh.ts";

const TIMEOUT = 60_000;
const PATIENCE = { timeout: 20_000 };

describe("mixerless run, where the control plane issues certificates", () => {
  let mesh: JoinedMesh;

  beforeAll(async () => {
    mesh = await JoinedMesh.start({ secured: true });
  }, TIMEOUT);

  afterAll(async () => {
    await mesh?.stop();
  }, TIMEOUT);

  it(
    "callers get there by mutual TLS only, from the moment that the program listens until it ends",
    async () => {
      const { running, inbound, status } = await mesh.join(
        ...["--name", "vault", "--telemetry", "none", "--", "node", "-e", TELLS_CALLER],
      );
      await running.says(/vault-v1\.default listens/);
      await expect.poll(() => mesh.endpoints("vault"), PATIENCE).toHaveLength(1);
      expect(await mesh.joined("vault-v1")).toMatchObject({ connected: true, healthy: true });
      await expect(fetchPage(`http://${inbound}/`)).rejects.toThrow();

      const caller = await mesh.run(
        "run",
        "--quiet",
        "--name",
        "caller",
        "--calls",
        "vault",
        "--",
        "node",
        "-e",
        CALLS,
      );
      expect(caller.stdout).toMatch(/^200 By=spiffe:\/\/cluster\.local\/ns\/default\/sa\/vault;/);
      expect(caller.stdout).toMatch(/URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/caller/);
      // Asked for no telemetry, it has none; its own series stay.
      const { body } = await fetchPage(`${status}/stats/prometheus`);
      expect(body).not.toMatch(/^istio_requests_total/m);
      expect(body).toMatch(/^envoy_/m);

      running.child.kill("SIGTERM");
      await running.ended;
      await expect.poll(() => mesh.endpoints("vault"), PATIENCE).toEqual([]);
    },
    TIMEOUT,
  );
});

const TELLS_CALLER = `
  require("node:http")
    .createServer((request, response) => response.end(request.headers["x-forwarded-client-cert"]))
    .listen(process.env.PORT, "127.0.0.1");
  process.on("SIGTERM", () => process.exit(0));
`;

/** Until it is told where the other is, a sidecar answers 503. */
const CALLS = `
  const { VAULT_SERVICE_HOST: host, VAULT_SERVICE_PORT: port } = process.env;
  (async () => {
    for (;;) {
      const response = await fetch("http://" + host + ":" + port);
      const text = await response.text();
      if (response.status === 503) continue;
      console.log(response.status, text);
      return;
    }
  })();
`;
