import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";

const program = findProgram("docker-registry");
const openssl = findProgram("openssl");
// Debian's Python can make the bcrypt hash that the registry asks for.
const python = "/usr/bin/python3";
const HASH = "import crypt; print(crypt.crypt('right', crypt.mksalt(crypt.METHOD_BLOWFISH)))";
const missing = [!program && "docker-registry is not installed", !openssl && "openssl is not installed"] as const;

const MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const built = (name: string) => new URL(`../../../packages/${name}/dist/index.js`, import.meta.url).href;
/** Node reads NODE_EXTRA_CA_CERTS at its start, so the agent's cache runs in a process of its own. */
const FETCH = `
  import { createModuleCache } from ${JSON.stringify(built("agent"))};
  import { SystemClock } from ${JSON.stringify(built("clock"))};
  import { MetricStore } from ${JSON.stringify(built("metrics"))};
  const clock = new SystemClock();
  const environment = { WASM_HTTP_REQUEST_MAX_RETRIES: "1" };
  const cache = createModuleCache({ clock, log: () => {}, environment, metrics: new MetricStore({ clock }) });
  const answer = await cache.get(JSON.parse(process.env.REQUEST));
  console.log(JSON.stringify(answer, (key, value) => (key === "bytes" ? undefined : value)));
  cache.close();
  process.exit(0);
`;

describe.skipIf(missing.some(Boolean))(
  titled("a registry with TLS of a private authority and a login", missing),
  () => {
    let folder: string;
    let host: string;
    let registry: ChildProcess;
    const at = (name: string) => join(folder, name);

    function send(method: string, url: URL, body: Buffer | null, type = "application/octet-stream") {
      return new Promise<{ status: number; location: string }>((resolve, reject) => {
        const headers = { authorization: `Basic ${btoa("user:right")}`, "content-type": type };
        const options = {
          method,
          headers: { ...headers, "content-length": body?.length ?? 0 },
          ca: readFileSync(at("ca.pem")),
        };
        const call = request(url, { ...options, agent: false }, (response) => {
          response.resume().on("end", () => {
            resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? "" });
          });
        });
        call.on("error", reject).end(body ?? undefined);
      });
    }

    async function push(bytes: Buffer): Promise<string> {
      const digest = `sha256:${sha256(bytes)}`;
      const { location } = await send("POST", new URL(`https://${host}/v2/team/plugin/blobs/uploads/`), null);
      const url = new URL(location, `https://${host}`);
      url.searchParams.set("digest", digest);
      expect((await send("PUT", url, bytes)).status).toBe(201);
      return digest;
    }

    async function pushImage(tag: string, layer: Buffer, mediaType: string): Promise<void> {
      const type = "application/vnd.oci.image.manifest.v1+json";
      const config = Buffer.from("{}");
      const manifest = {
        schemaVersion: 2,
        mediaType: type,
        config: {
          mediaType: "application/vnd.oci.image.config.v1+json",
          digest: await push(config),
          size: config.length,
        },
        layers: [{ mediaType, digest: await push(layer), size: layer.length }],
      };
      const url = new URL(`https://${host}/v2/team/plugin/manifests/${tag}`);
      expect((await send("PUT", url, Buffer.from(JSON.stringify(manifest)), type)).status).toBe(201);
    }

    async function fetchBy(login: string, tag: string, environment: Record<string, string>): Promise<unknown> {
      const pullSecret = JSON.stringify({ auths: { [host]: { auth: btoa(login) } } });
      const asked = {
        plugin: "p",
        url: `oci://${host}/team/plugin:${tag}`,
        sha256: "",
        policy: "",
        version: "1",
        pullSecret,
      };
      const env = { PATH: process.env.PATH, REQUEST: JSON.stringify(asked), ...environment };
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", FETCH], { env });
      return JSON.parse(stdout);
    }

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "registry-"));
      host = `127.0.0.1:${await freePort()}`;
      const run = (...words: string[]) => execFileSync(openssl ?? "", words, { cwd: folder, stdio: "ignore" });
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      run("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Private CA", "-days", "2");
      run("req", ...key, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=registry");
      writeFileSync(at("san"), "subjectAltName=IP:127.0.0.1");
      const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san", "-days", "2"];
      run("x509", "-req", "-in", "tls.csr", "-out", "tls.pem", ...signer);
      const hash = execFileSync(python, ["-W", "ignore", "-c", HASH], { encoding: "utf8" });
      writeFileSync(at("htpasswd"), `user:${hash}`);
      const config = {
        version: 0.1,
        storage: { filesystem: { rootdirectory: at("data") } },
        http: { addr: host, secret: "s", tls: { certificate: at("tls.pem"), key: at("tls.key") } },
        auth: { htpasswd: { realm: "modules", path: at("htpasswd") } },
      };
      writeFileSync(at("config.yml"), JSON.stringify(config));
      registry = spawn(program ?? "", ["serve", at("config.yml")], { stdio: "ignore" });
      const ready = () => send("GET", new URL(`https://${host}/v2/`), null).catch(() => null);
      await vi.waitFor(async () => expect((await ready())?.status).toBe(200), { timeout: 20_000 });
      await pushImage("artefact", MODULE, "application/vnd.module.wasm.content.layer.v1+wasm");
      writeFileSync(at("plugin.wasm"), MODULE);
      const tar = execFileSync("tar", ["-cz", "-C", folder, "plugin.wasm"]);
      await pushImage("container", tar, "application/vnd.docker.image.rootfs.diff.tar.gzip");
    });

    afterAll(() => {
      registry?.kill();
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    test.each(["artefact", "container"])("gives the module of an image of the kind: %s", async (tag) => {
      const answer = await fetchBy("user:right", tag, { NODE_EXTRA_CA_CERTS: at("ca.pem") });
      expect(answer).toMatchObject({ digest: sha256(MODULE) });
    });

    test("refuses a wrong login, for good, and the message names the Secret", async () => {
      const answer = await fetchBy("user:wrong", "artefact", { NODE_EXTRA_CA_CERTS: at("ca.pem") });
      const fault = `${host} refuses: the pull secret's user or password is wrong, or may not read this image; correct the Secret that imagePullSecret names`;
      expect(answer).toEqual({ fault, origin: "fetch", transient: false });
    });

    test("is not trusted without its authority, and the message names the cure", async () => {
      const answer = await fetchBy("user:right", "artefact", {});
      expect(answer).toMatchObject({ fault: expect.stringContaining("start the agent with NODE_EXTRA_CA_CERTS") });
    });
  },
);
